#include "daemon/dialects/chat_proxy.hpp"

#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/api/openapi.hpp"
#include "common/base/text.hpp"
#include "tests/unit/daemon/http/http_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

api::Pull played_pull(const std::string& state, std::int64_t created) {
    api::Pull pull;
    pull.id = std::to_string(created);
    pull.ref = "org/" + state;
    pull.name = pull.ref + ":Q4_K_M";
    pull.state = state;
    pull.created = WallTime(std::chrono::seconds(created));
    return pull;
}

/// The dialect over pulls that are played, asked over HTTP as its clients do.
class ChatProxyTest : public HttpTest {
  protected:
    struct Said {
        unsigned status = 0;
        nlohmann::json body;
    };

    ChatProxyTest() { routes_.add(table()); }

    std::vector<Route> table() {
        ChatProxyPulls played;
        played.all = [this] { return pulls_; };
        played.begin = [this](api::PullRequest request, bool is_local) {
            return begin(std::move(request), is_local);
        };
        return chat_proxy_routes(std::move(played));
    }

    asio::awaitable<Result<Pulls::Begun>> begin(api::PullRequest request, bool is_local) {
        EXPECT_FALSE(is_local);
        begun_.push_back(request.ref);
        if (refusal_) {
            co_return *refusal_;
        }
        auto pull = played_pull("resolving", 7);
        pull.ref = request.ref;
        co_return Pulls::Begun{std::move(pull), joined_};
    }

    /// One request, on a server of its own.
    Said ask(const std::string& method, const std::string& target) {
        Said said;
        loop_.restart();
        start();
        run(ask(method, target, said));
        return said;
    }

    Said progress() { return ask("GET", "/api/download-progress"); }

    asio::awaitable<void> ask(std::string method, std::string target, Said& said) {
        auto connection = client();
        connection.send(method + " " + target +
                        " HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
                        "content-length: 0\r\n\r\n");
        const auto all = co_await connection.read_all();
        said.status = all.size() > 12 ? static_cast<unsigned>(std::stoul(all.substr(9, 3))) : 0;
        said.body = nlohmann::json::parse(all.substr(all.find("\r\n\r\n") + 4), nullptr,
                                          /*allow_exceptions=*/false);
    }

    std::vector<api::Pull> pulls_;  // the newest first
    std::vector<std::string> begun_;
    std::optional<Error> refusal_;
    bool joined_ = false;
};

TEST_F(ChatProxyTest, IsIdleWhereNothingWasEverPulled) {
    const auto said = progress();
    EXPECT_EQ(said.status, 200U);
    EXPECT_EQ(said.body,
              nlohmann::json::parse(R"({"status":"idle","progress":0,"model":null,"error":null})"));
}

TEST_F(ChatProxyTest, SaysHowFarAPullIs) {
    pulls_ = {played_pull("downloading", 1)};
    pulls_[0].size = 3'000;
    pulls_[0].done = 1'000;
    const auto said = progress();
    EXPECT_EQ(said.body.at("status"), "downloading");
    EXPECT_EQ(said.body.at("progress"), 33.3);
    EXPECT_EQ(said.body.at("model"), "org/downloading");
    EXPECT_EQ(said.body.at("error"), nullptr);
}

TEST_F(ChatProxyTest, NeverClaimsMoreThanAllAndAllOnlyWhenItIsThere) {
    pulls_ = {played_pull("resolving", 1)};
    EXPECT_EQ(progress().body.at("progress"), 0);
    pulls_[0].state = "downloading";
    pulls_[0].size = 100'000;
    pulls_[0].done = 99'999;
    EXPECT_EQ(progress().body.at("progress"), 99.9);
    pulls_[0].done = 200'000;
    EXPECT_EQ(progress().body.at("progress"), 100);
    pulls_[0].size.reset();
    pulls_[0].state = "complete";
    EXPECT_EQ(progress().body.at("progress"), 100);
}

TEST_F(ChatProxyTest, TellsOfOneUnderWayBeforeOthers) {
    pulls_ = {played_pull("complete", 3), played_pull("retrying", 2), played_pull("resolving", 1)};
    pulls_[0].finished = WallTime(std::chrono::seconds(9));
    pulls_[1].error = "connection reset";
    const auto said = progress();
    EXPECT_EQ(said.body.at("model"), "org/retrying");
    EXPECT_EQ(said.body.at("status"), "downloading");
    EXPECT_EQ(said.body.at("error"), nullptr);  // it goes on by itself
}

TEST_F(ChatProxyTest, ElseOfTheOneThatEndedLast) {
    pulls_ = {played_pull("complete", 3), played_pull("failed", 2), played_pull("paused", 1)};
    pulls_[0].finished = WallTime(std::chrono::seconds(4));
    pulls_[1].finished = WallTime(std::chrono::seconds(5));
    pulls_[1].error = "no such repository";
    const auto failed = progress();
    EXPECT_EQ(failed.body.at("status"), "error");
    EXPECT_EQ(failed.body.at("model"), "org/failed");
    EXPECT_EQ(failed.body.at("error"), "no such repository");
    pulls_.erase(pulls_.begin() + 1);
    EXPECT_EQ(progress().body.at("status"), "complete");
}

TEST_F(ChatProxyTest, APausedOneIsIdleUnlessItCouldNotGoOn) {
    pulls_ = {played_pull("paused", 1)};
    pulls_[0].size = 10;
    pulls_[0].done = 5;
    const auto paused = progress();
    EXPECT_EQ(paused.body.at("status"), "idle");
    EXPECT_EQ(paused.body.at("progress"), 50);
    pulls_[0].error = "disk full";
    const auto stuck = progress();
    EXPECT_EQ(stuck.body.at("status"), "error");
    EXPECT_EQ(stuck.body.at("error"), "disk full");
}

TEST_F(ChatProxyTest, SaysWhatToRun) {
    for (const std::string flag : {"", "&auto=false", "&auto=False", "&auto=0"}) {
        const auto said = ask("POST", "/api/download-model?model_id=org/repo:Q4_K_M" + flag);
        EXPECT_EQ(said.status, 200U) << flag;
        EXPECT_EQ(said.body.at("status"), "instructions");
        EXPECT_EQ(said.body.at("command"), "routerctl pull org/repo:Q4_K_M");
        EXPECT_THAT(said.body.at("message").get<std::string>(), HasSubstr("auto=true"));
    }
    EXPECT_THAT(begun_, IsEmpty());
}

TEST_F(ChatProxyTest, WhatToRunIsOneWordToAShell) {
    const std::string ref = "https://h.example/it's;$(x).gguf";
    const auto said =
        ask("POST", "/api/download-model?model_id=https://h.example/it%27s;%24%28x%29.gguf");
    ASSERT_EQ(said.status, 200U) << said.body;
    EXPECT_THAT(shell_split(said.body.at("command").get<std::string>()),
                ElementsAre("routerctl", "pull", ref));
}

TEST_F(ChatProxyTest, BeginsAPull) {
    for (const std::string flag : {"true", "True", "1", "yes"}) {
        const auto said = ask("POST", "/api/download-model?model_id=org/repo&auto=" + flag);
        EXPECT_EQ(said.status, 200U) << flag;
        EXPECT_EQ(said.body.at("status"), "downloading");
        EXPECT_EQ(said.body.at("model"), "org/repo");
        EXPECT_EQ(said.body.at("id"), "7");
        EXPECT_THAT(said.body.at("message").get<std::string>(), HasSubstr("has begun"));
    }
    EXPECT_THAT(begun_, ElementsAre("org/repo", "org/repo", "org/repo", "org/repo"));
}

TEST_F(ChatProxyTest, JoinsOneThatIsUnderWay) {
    joined_ = true;
    const auto said = ask("POST", "/api/download-model?model_id=org/repo&auto=true");
    EXPECT_EQ(said.body.at("status"), "downloading");
    EXPECT_THAT(said.body.at("message").get<std::string>(), HasSubstr("is under way"));
}

TEST_F(ChatProxyTest, RefusesWhatItCannotRead) {
    for (const auto& [query, param] : std::vector<std::pair<std::string, std::string>>{
             {"", "model_id"},
             {"?model_id=&auto=true", "model_id"},
             {"?auto=true", "model_id"},
             {"?model_id=../etc&auto=true", "model_id"},
             {"?model_id=--help", "model_id"},
             {"?model_id=org/repo&auto=perhaps", "auto"}}) {
        const auto said = ask("POST", "/api/download-model" + query);
        EXPECT_EQ(said.status, 400U) << query;
        const auto error = said.body.value("error", nlohmann::json::object());
        EXPECT_EQ(error.value("code", ""), "invalid_request") << query;
        EXPECT_EQ(error.value("param", ""), param) << query;
    }
    EXPECT_THAT(begun_, IsEmpty());
}

TEST_F(ChatProxyTest, PassesARefusalOn) {
    refusal_ = Error(Errc::forbidden, "not from here").with_param("ref");
    const auto said = ask("POST", "/api/download-model?model_id=file:///x.gguf&auto=true");
    EXPECT_EQ(said.status, 403U);
    EXPECT_EQ(said.body.at("error").at("code"), "forbidden");
    EXPECT_EQ(said.body.at("error").at("param"), "model_id");
}

TEST_F(ChatProxyTest, EveryRouteIsDescribedAndForThoseWhoMay) {
    const auto document = nlohmann::json::parse(api::openapi_document());
    for (const auto& route : table()) {
        const auto path = document.at("paths").value(route.pattern, nlohmann::json::object());
        EXPECT_TRUE(path.contains(to_lower(route.method))) << route.pattern;
        EXPECT_EQ(route.scope, route.method == "GET" ? Scope::read : Scope::admin);
    }
}

}  // namespace
}  // namespace routerd::test
