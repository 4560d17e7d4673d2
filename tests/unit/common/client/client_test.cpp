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
