#include "common/client/client.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "common/api/codec.hpp"
#include "tests/support/scripted_server.hpp"

namespace routerd::client {
namespace {

using namespace std::chrono_literals;

class ClientTest : public testing::Test {
  protected:
    Client client() const {
        Options options = options_;
        options.addresses = {*parse_address(server_.host())};
        return Client(options);
    }

    test::ScriptedServer server_;
    Options options_{.addresses = {}, .timeout = 5s, .stop_fd = -1, .api_key = {}};
};

TEST_F(ClientTest, AsksForModelsByAllItsOptions) {
    server_.answer_json("GET /control/v1/models?all=true&tier=fast&prefix=q%2Fa&limit=9",
                        R"({"items":[{"id":"q"}],"next":null})");
    const auto list = client().models({.all = true, .tier = "fast", .prefix = "q/a", .limit = 9});
    ASSERT_TRUE(list) << list.error().message();
    ASSERT_EQ(list->items.size(), 1U);
    EXPECT_EQ(list->items[0].id, "q");
}

TEST_F(ClientTest, SendsAModelsNameAsOneSegment) {
    server_.answer_json("PATCH /control/v1/models/org%2Frepo%3AQ4", R"({"id":"x"})");
    api::ModelChange change;
    change.set["tier"] = "fast";
    change.unset = {"context"};
    ASSERT_TRUE(client().change("org/repo:Q4", change));
    const auto seen = server_.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].body, api::encode(change));
}

TEST_F(ClientTest, PassesOnWhatTheDaemonSaysIsWrong) {
    server_.answer_json("GET /control/v1/models/x",
                        R"({"error":{"message":"no model 'x'","code":"model_not_found",)"
                        R"("hint":"did you mean 'y'?"}})",
                        "404 Not Found");
    const auto model = client().model("x");
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code(), Errc::model_not_found);
    EXPECT_EQ(model.error().message(), "no model 'x'");
    EXPECT_EQ(model.error().hint(), "did you mean 'y'?");
}

TEST_F(ClientTest, JudgesAnAnswerThatIsNotOursByItsStatus) {
    server_.answer("GET /control/v1/status", "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>");
    const auto status = client().status();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Errc::upstream_error);
    EXPECT_EQ(status.error().message(), "HTTP status 502");
}

TEST_F(ClientTest, SaysThatAnAnswerCannotBeRead) {
    server_.answer_json("GET /control/v1/status", R"({"pid":"one"})");
    const auto status = client().status();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message(),
              "the daemon's answer cannot be read: 'pid': must be a whole number");
}

TEST_F(ClientTest, ReportsEachStageOfASwitch) {
    server_.answer_stream("POST /control/v1/switch",
                          ": hello\n\n"
                          "event: stage\ndata: {\"name\":\"load\",\"model\":\"a\",\"ms\":null}\n\n"
                          "event: stage\ndata: {\"name\":\"load\",\"model\":\"a\",\"ms\":80}\n\n"
                          "event: done\ndata: {\"model\":\"a\",\"total_ms\":81}\n\n");
    std::vector<std::string> stages;
    const auto result = client().switch_to({.model = "a"}, [&](const api::SwitchStage& stage) {
        stages.push_back(stage.name + (stage.ms ? "!" : "?"));
    });
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(stages, (std::vector<std::string>{"load?", "load!"}));
    EXPECT_EQ(result->total_ms, 81ms);
}

TEST_F(ClientTest, ASwitchThatFailsHalfWayIsAnError) {
    server_.answer_stream("POST /control/v1/switch",
                          "event: error\ndata: {\"error\":{\"message\":\"no\","
                          "\"code\":\"load_failed\"}}\n\n");
    const auto failed = client().switch_to({.model = "a"}, [](const api::SwitchStage&) {});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), Errc::load_failed);

    server_.answer_stream("POST /control/v1/switch", ": nothing more\n\n");
    const auto cut = client().switch_to({.model = "a"}, [](const api::SwitchStage&) {});
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().message(), "the daemon broke off before the switch was done");
}

TEST_F(ClientTest, BeginsAndChangesPulls) {
    server_.answer_json("POST /control/v1/pulls", R"({"id":"7"})", "201 Created");
    server_.answer_json("PATCH /control/v1/pulls/7", R"({"id":"7","limit_rate":5})");
    server_.answer_json("POST /control/v1/pulls/7/pause", R"({"id":"7","state":"paused"})");
    server_.answer_json("POST /control/v1/pulls/7/resume", R"({"id":"7","state":"resolving"})");
    server_.answer_json("DELETE /control/v1/pulls/7", R"({"id":"7"})");
    server_.answer_json("GET /control/v1/pulls/7", R"({"id":"7","done":9})");
    server_.answer_json("GET /control/v1/pulls", R"({"items":[{"id":"7"}],"next":null})");
    api::PullRequest request;
    request.ref = "org/repo:Q4_K_M";
    request.include = {"*.gguf"};
    EXPECT_EQ(client().begin_pull(request)->id, "7");
    EXPECT_EQ(server_.seen()[0].body, api::encode(request));
    api::PullChange change;
    change.limit_rate = "5";
    EXPECT_EQ(client().change_pull("7", change)->limit_rate, 5U);
    EXPECT_EQ(server_.seen()[1].body, api::encode(change));
    EXPECT_EQ(client().pause_pull("7")->state, "paused");
    EXPECT_EQ(client().resume_pull("7", change)->state, "resolving");
    EXPECT_EQ(server_.seen()[3].body, api::encode(change));
    EXPECT_EQ(client().pull("7")->done, 9U);
    EXPECT_EQ(client().pulls()->items.size(), 1U);
    EXPECT_TRUE(client().remove_pull("7"));
}

TEST_F(ClientTest, RemovesModelsAndPrunes) {
    server_.answer_json("DELETE /control/v1/models/a", R"({"id":"a","files":["/a"],"freed":5})");
    server_.answer_json("DELETE /control/v1/models/org%2Fb?force=true", R"({"id":"b"})");
    server_.answer_json("POST /control/v1/prune",
                        R"({"removed":[{"path":"/p","bytes":7}],"pulls":["3"],"freed":7})");
    const auto gone = client().remove_model("a", Client::Force::no);
    ASSERT_TRUE(gone) << gone.error().message();
    EXPECT_EQ(gone->files, std::vector<std::string>{"/a"});
    EXPECT_EQ(gone->freed, 5U);
    EXPECT_EQ(client().remove_model("org/b", Client::Force::yes)->id, "b");
    const api::PruneRequest request{.dry_run = true, .all = true};
    const auto pruned = client().prune(request);
    ASSERT_TRUE(pruned) << pruned.error().message();
    EXPECT_EQ(server_.seen().back().body, api::encode(request));
    ASSERT_EQ(pruned->removed.size(), 1U);
    EXPECT_EQ(pruned->removed[0].path, "/p");
    EXPECT_EQ(pruned->removed[0].bytes, 7U);
    EXPECT_EQ(pruned->pulls, std::vector<std::string>{"3"});
}

constexpr const char* follow = "GET /control/v1/pulls/7?follow=true";

TEST_F(ClientTest, FollowsAPullUntilItIsAtRest) {
    server_.answer_stream(follow,
                          ": hello\n\n"
                          "event: pull\ndata: {\"id\":\"7\",\"state\":\"downloading\"}\n\n"
                          "event: other\ndata: {\"id\":\"7\",\"state\":\"failed\"}\n\n"
                          "event: pull\ndata: nonsense\n\n"
                          "event: pull\ndata: {\"id\":\"7\",\"state\":\"complete\"}\n\n"
                          "event: pull\ndata: {\"id\":\"7\",\"state\":\"downloading\"}\n\n");
    std::vector<std::string> states;
    const auto end =
        client().follow_pull("7", [&](const api::Pull& pull) { states.push_back(pull.state); });
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->state, "complete");
    EXPECT_EQ(states, (std::vector<std::string>{"downloading", "complete"}));
}

TEST_F(ClientTest, APullWhoseStreamEndsEarlyIsNotAtItsEnd) {
    const auto ignore = [](const api::Pull&) {};
    server_.answer_stream(follow,
                          "event: pull\ndata: {\"id\":\"7\",\"state\":\"downloading\"}\n\n");
    const auto cut = client().follow_pull("7", ignore);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code(), Errc::upstream_error);
    EXPECT_EQ(cut.error().message(), "the daemon broke off before the pull was done");

    server_.answer_stream(follow,
                          "event: error\ndata: {\"error\":{\"message\":\"gone\","
                          "\"code\":\"not_found\"}}\n\n");
    const auto removed = client().follow_pull("7", ignore);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), Errc::not_found);
}

TEST_F(ClientTest, StopsWhenTheUserDoes) {
    const UniqueFd stop(::eventfd(1, EFD_CLOEXEC));
    options_.stop_fd = stop.get();
    server_.answer_and_hold("GET /control/v1/events?limit=100&follow=true",
                            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    const auto followed = client().follow_events(EventQuery{}, [](const api::Event&) {});
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code(), Errc::cancelled);
}

TEST_F(ClientTest, SendsTheKey) {
    options_.api_key = "secret";
    server_.answer_json("GET /control/v1/config", R"({"items":[]})");
    ASSERT_TRUE(client().config());
    EXPECT_NE(server_.seen()[0].head.find("\r\nAuthorization: Bearer secret\r\n"),
              std::string::npos);
}

TEST_F(ClientTest, TriesTheNextAddressWhenNobodyListensAtTheFirst) {
    server_.answer_json("GET /control/v1/status", R"({"version":"1"})");
    options_.addresses = {*parse_address("unix://" + server_.folder() + "/none.sock"),
                          *parse_address(server_.host())};
    Client client(options_);
    ASSERT_TRUE(client.status());
    EXPECT_EQ(client.address()->text(), server_.host());
}

TEST_F(ClientTest, NamesEveryAddressItTried) {
    const auto first = "unix://" + server_.folder() + "/a.sock";
    options_.addresses = {*parse_address(first), *parse_address("unix://" + std::string(200, '/'))};
    const auto status = Client(options_).status();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Errc::unreachable);
    EXPECT_EQ(status.error().message(),
              "no daemon answers at " + first + " (No such file or directory), nor at unix://" +
                  std::string(200, '/') + " (the path is longer than the 107 bytes of a socket's)");
    EXPECT_FALSE(status.error().hint().empty());
}

}  // namespace
}  // namespace routerd::client
