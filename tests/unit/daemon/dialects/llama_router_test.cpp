#include "tests/unit/daemon/dialects/llama_router_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto eject_path = "/v1/models/eject";

TEST_F(LlamaRouterTest, StatusFollowsAModelFromOffToReady) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        const auto off = co_await get("/v1/models/a/status");
        EXPECT_EQ(off.body.at("status"), "off");
        EXPECT_EQ(off.body.at("is_alive"), false);
        EXPECT_EQ(off.body.at("last_used"), nullptr);
        co_await use("a");
        const auto ready_now = co_await get("/v1/models/a/status");
        EXPECT_EQ(ready_now.status, 200U);
        EXPECT_EQ(ready_now.body.at("model"), "a");
        EXPECT_EQ(ready_now.body.at("status"), "ready");
        EXPECT_EQ(ready_now.body.at("port"), nullptr);
        EXPECT_THAT(ready_now.body.at("address").get<std::string>(), HasSubstr("unix:"));
        EXPECT_EQ(ready_now.body.at("is_alive"), true);
        EXPECT_TRUE(ready_now.body.at("last_used").is_string());
        EXPECT_GE(ready_now.body.at("vram_used_mb"), 1);
    });
}

TEST_F(LlamaRouterTest, FindsAModelByAnAliasAlsoWithASlash) {
    add_model("a").aliases = {"Fox", "Org/Repo:Q4"};
    serve([this]() -> asio::awaitable<void> {
        const auto alias = co_await get("/v1/models/FOX/status");
        EXPECT_EQ(alias.body.at("model"), "a");
        const auto slash = co_await get("/v1/models/org/repo:q4/status");
        EXPECT_EQ(slash.body.at("model"), "a");
        const auto encoded = co_await get("/vram/models/org%2frepo:q4");
        EXPECT_EQ(encoded.body.at("model"), "a");
        const auto reset = co_await ask("POST", "/v1/models/org/repo:q4/reset");
        EXPECT_EQ(reset.body.at("model"), "a");
    });
}

TEST_F(LlamaRouterTest, AnUnknownModelIsNotFound) {
    add_model("a");
    add_model("hidden").enabled = false;
    serve([this]() -> asio::awaitable<void> {
        for (const std::string path :
             {"/v1/models/nobody/status", "/vram/models/nobody", "/v1/models/hidden/status"}) {
            const auto answer = co_await get(path);
            EXPECT_EQ(answer.status, 404U) << path;
            EXPECT_EQ(answer.body.at("error").at("code"), "model_not_found") << path;
        }
        const auto reset = co_await ask("POST", "/v1/models/nobody/reset");
        EXPECT_EQ(reset.status, 404U);
        EXPECT_EQ(reset.body.at("error").at("code"), "model_not_found");
    });
}

TEST_F(LlamaRouterTest, EjectUnloadsAndSaysWhichModel) {
    add_model("a").aliases = {"fox"};
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        const auto ejected = co_await ask("POST", eject_path, R"({"model": "fox"})");
        EXPECT_EQ(ejected.status, 200U);
        EXPECT_EQ(ejected.body.at("status"), "success");
        EXPECT_EQ(ejected.body.at("model_ejected"), "a");
        EXPECT_EQ(fleet_->view("a").pid, 0);
        const auto again = co_await ask("POST", eject_path, R"({"model": "fox"})");
        EXPECT_EQ(again.status, 200U);
        EXPECT_EQ(again.body.at("status"), "not_found");
        EXPECT_EQ(again.body.at("model_ejected"), nullptr);
        EXPECT_THAT(again.body.at("message").get<std::string>(), HasSubstr("not loaded"));
    });
}

TEST_F(LlamaRouterTest, EjectOfAnUnknownModelSaysNotFound) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await ask("POST", eject_path, R"({"model": "nobody"})");
        EXPECT_EQ(answer.status, 404U);
        EXPECT_EQ(answer.body.at("status"), "not_found");
        EXPECT_EQ(answer.body.at("model_ejected"), nullptr);
        EXPECT_THAT(answer.body.at("message").get<std::string>(), HasSubstr("nobody"));
    });
}

TEST_F(LlamaRouterTest, EjectMustNameAModel) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        for (const std::string body :
             {"", "{}", "[1]", "{", R"({"model": 7})", R"({"model": ""})"}) {
            const auto answer = co_await ask("POST", eject_path, body);
            EXPECT_EQ(answer.status, 400U) << body;
            EXPECT_EQ(answer.body.at("error").at("param"), "model") << body;
        }
    });
}

TEST_F(LlamaRouterTest, AModelThatFailsIsListedUntilItIsReset) {
    add_model("bad", "crash-load");
    serve([this]() -> asio::awaitable<void> {
        const auto refused = co_await lease(*fleet_, "bad");
        EXPECT_FALSE(refused);
        const auto listed = co_await get("/v1/models/failed");
        const auto failed = listed.body.at("failed_models");
        EXPECT_EQ(failed.size(), 1U);
        if (failed.size() != 1) {
            co_return;
        }
        EXPECT_EQ(failed[0].at("model"), "bad");
        EXPECT_GE(failed[0].at("attempts"), 1);
        EXPECT_NE(failed[0].at("error"), "");
        const auto reset = co_await ask("POST", "/v1/models/bad/reset");
        EXPECT_EQ(reset.body.at("status"), "success");
        EXPECT_EQ(reset.body.at("model"), "bad");
        EXPECT_EQ(reset.body.at("previous_error"), failed[0].at("error"));
        const auto none = co_await get("/v1/models/failed");
        EXPECT_EQ(none.body.at("failed_models"), Json::array());
        const auto again = co_await ask("POST", "/v1/models/bad/reset");
        EXPECT_EQ(again.body.at("previous_error"), nullptr);
    });
}

TEST_F(LlamaRouterTest, StatusOfAllLeavesOutModelsThatAreDisabled) {
    add_model("a");
    add_model("b");
    add_model("hidden").enabled = false;
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        const auto answer = co_await get("/v1/models/status");
        EXPECT_EQ(answer.body.at("server"), (Json{{"status", "running"}, {"uptime_seconds", 5}}));
        EXPECT_EQ(answer.body.at("models").size(), 2U);
        EXPECT_EQ(answer.body.at("models").at("a").at("status"), "ready");
        EXPECT_EQ(answer.body.at("models").at("b").at("status"), "off");
        EXPECT_EQ(answer.body.at("summary").at("ready"), 1);
        EXPECT_EQ(answer.body.at("summary").at("off"), 1);
        EXPECT_EQ(answer.body.at("summary").at("total"), 2);
    });
}

TEST_F(LlamaRouterTest, QueueStatsCountRequests) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        const auto held = co_await lease(*fleet_, "a");
        EXPECT_TRUE(held);
        const auto answer = co_await get("/v1/queue/stats");
        const auto& of_a = answer.body.at("per_model").at("a");
        EXPECT_EQ(of_a.at("processing"), 1);
        EXPECT_EQ(of_a.at("processed"), 1);
        EXPECT_EQ(of_a.at("queued"), 0);
        EXPECT_EQ(answer.body.at("summary").at("total_processing"), 1);
    });
}

TEST_F(LlamaRouterTest, MemoryOfAModelIsToldBeyondItsServersEnd) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        const auto all = co_await get("/vram");
        EXPECT_EQ(all.body.at("models").at("a").at("status"), "ready");
        const auto summary = co_await get("/vram/summary");
        EXPECT_EQ(summary.body.at("models").at("loaded"), 1);
        EXPECT_GE(summary.body.at("models").at("vram_used_mb"), 1);
        const auto loaded = co_await get("/vram/models/a");
        EXPECT_TRUE(loaded.body.at("load_time_ms").is_number());
        EXPECT_GE(loaded.body.at("devices").at("host"), 1);
        co_await ask("POST", eject_path, R"({"model": "a"})");
        const auto gone = co_await get("/vram/models/a");
        EXPECT_EQ(gone.body.at("vram_used_mb"), 0);
        EXPECT_EQ(gone.body.at("load_time_ms"), loaded.body.at("load_time_ms"));
        std::vector<std::string> turns;
        for (const auto& snapshot : gone.body.at("snapshots")) {
            turns.push_back(snapshot.at("status"));
            EXPECT_GE(snapshot.at("vram_used_mb"), 1);
        }
        EXPECT_THAT(turns, ElementsAre("ready", "stopping"));
        const auto status = co_await get("/v1/models/a/status");
        EXPECT_TRUE(status.body.at("last_used").is_string());
    });
}

TEST_F(LlamaRouterTest, HealthOfModelsHasEveryModelThatIsEnabled) {
    add_model("a");
    add_model("b");
    add_model("hidden").enabled = false;
    HealthReport of_a;
    of_a.model = "a";
    of_a.state = InstanceState::ready;
    of_a.uptime_percent = 50;
    health = {of_a};
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await get("/v1/health/models");
        EXPECT_EQ(answer.body.at("models").size(), 2U);
        EXPECT_EQ(answer.body.at("models").at("a").at("uptime_percentage"), 50);
        EXPECT_EQ(answer.body.at("models").at("b").at("status"), "off");
    });
}

TEST_F(LlamaRouterTest, HealthIsOkWhileTheDaemonWorks) {
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await get("/health");
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.body.at("status"), "ok");
        EXPECT_EQ(answer.body.at("checks").at("manager"), "ok");
        EXPECT_EQ(answer.body.at("checks").at("http_client"), "ok");
    });
}

TEST_F(LlamaRouterTest, HealthIsDegradedWhenTheDaemonIsNotReady) {
    ready = Error(Errc::unavailable, "the disk is full");
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await get("/health");
        EXPECT_EQ(answer.status, 503U);
        EXPECT_EQ(answer.body.at("status"), "degraded");
        EXPECT_EQ(answer.body.at("checks").at("manager"), "failing");
        EXPECT_THAT(answer.head, HasSubstr("retry-after: "));
    });
}

TEST_F(LlamaRouterTest, HealthIsDegradedWhenNoServerAnswers) {
    HealthReport silent;
    silent.state = InstanceState::ready;
    silent.consecutive_failures = 2;
    health = {silent};
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await get("/health");
        EXPECT_EQ(answer.status, 503U);
        EXPECT_EQ(answer.body.at("checks").at("http_client"), "failing");
        EXPECT_EQ(answer.body.at("checks").at("manager"), "ok");
    });
}

TEST_F(LlamaRouterTest, OnlyAdministratorsChangeAndOnlyHealthIsOpen) {
    serve([this]() -> asio::awaitable<void> {
        for (const auto& route : router->routes()) {
            const auto expected = route.method == "POST"       ? Scope::admin
                                  : route.pattern == "/health" ? Scope::open
                                                               : Scope::inference;
            EXPECT_EQ(route.scope, expected) << route.pattern;
        }
        co_return;
    });
}

}  // namespace
}  // namespace routerd::test
