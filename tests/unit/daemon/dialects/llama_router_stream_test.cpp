#include "tests/unit/daemon/dialects/llama_router_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;

TEST_F(LlamaRouterTest, StreamBeginsWithEverything) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        const auto first = co_await watcher.next();
        EXPECT_EQ(first.event, "full_status");
        const auto status = co_await get("/v1/models/status");
        EXPECT_EQ(first.data, status.body);
    });
}

TEST_F(LlamaRouterTest, StreamTellsEachTurnOfAModelsLifeInOrder) {
    const auto gate = dir / "gate";
    add_model("a", "gate=" + gate);
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        EXPECT_TRUE(fleet_->start_load("a"));
        const auto begun = co_await watcher.states("a", "loading");
        EXPECT_THAT(begun, ElementsAre("starting", "loading"));
        dir.write("gate", "");
        const auto up = co_await watcher.states("a", "ready");
        EXPECT_THAT(up, ElementsAre("ready"));
        co_await ask("POST", "/v1/models/eject", R"({"model": "a"})");
        const auto down = co_await watcher.states("a", "off");
        EXPECT_THAT(down, ElementsAre("stopping", "off"));
    });
}

TEST_F(LlamaRouterTest, StreamSaysWhereAModelServesAndWhatItTakes) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        co_await use("a");
        auto update = co_await watcher.next();
        while (update.event == "model_update" && update.data.at("status") != "ready") {
            update = co_await watcher.next();
        }
        EXPECT_EQ(update.data.at("alias"), "a");
        EXPECT_EQ(update.data.at("port"), nullptr);
        EXPECT_EQ(update.data.at("address"), fleet_->view("a").address);
        EXPECT_GE(update.data.at("vram_mb"), 1);
    });
}

TEST_F(LlamaRouterTest, StreamTellsACrash) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        Watcher watcher(client());
        co_await watcher.next();
        ::kill(fleet_->view("a").pid, SIGKILL);
        const auto update = co_await watcher.next();
        EXPECT_EQ(update.event, "model_update");
        EXPECT_THAT(update.data.at("status"), testing::AnyOf("crashed", "failed"));
    });
}

TEST_F(LlamaRouterTest, StreamIsSilentAboutRequestsThatChangeNoState) {
    add_model("a");
    add_model("b");
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        Watcher watcher(client());
        co_await watcher.next();
        co_await use("a");
        co_await use("b");
        const auto update = co_await watcher.next();
        EXPECT_EQ(update.data.at("alias"), "b");
    });
}

TEST_F(LlamaRouterTest, StreamTellsEverythingAnewWhenTheModelsAreOthers) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        add_model("b");
        publish();
        router->changed();
        const auto second = co_await watcher.next();
        EXPECT_EQ(second.event, "full_status");
        EXPECT_TRUE(second.data.at("models").contains("b"));
    });
}

TEST_F(LlamaRouterTest, StreamTellsWhatTheDaemonItselfDoes) {
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        server_report = {"stopping", 6s};
        router->changed();
        const auto update = co_await watcher.next();
        EXPECT_EQ(update.event, "server_update");
        EXPECT_EQ(update.data, (Json{{"status", "stopping"}, {"uptime_seconds", 6}}));
    });
}

TEST_F(LlamaRouterTest, StreamHasAHeartbeat) {
    heartbeat = 20ms;
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < 3; ++i) {
            const auto beat = co_await watcher.next();
            EXPECT_EQ(beat.event, "heartbeat");
            EXPECT_TRUE(beat.data.at("timestamp").is_string());
        }
        EXPECT_GE(std::chrono::steady_clock::now() - begun, 40ms);
    });
}

TEST_F(LlamaRouterTest, StreamEndsProperlyWhenTheDaemonStops) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        co_await use("a");
        Watcher watcher(client());
        co_await watcher.next();
        co_await shut_down();
        const auto last = co_await watcher.states("a", "off");
        EXPECT_THAT(last, ElementsAre("stopping", "off"));
        const auto end = co_await watcher.next();
        EXPECT_EQ(end.event, "");
        EXPECT_THAT(watcher.end(), testing::EndsWith("0\r\n\r\n"));
    });
}

TEST_F(LlamaRouterTest, StreamEndsWhenItsClientLeaves) {
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        co_await watcher.next();
        EXPECT_EQ(server->active(), 1U);
        server->drain();
        watcher.leave();
        co_await server->wait();
        EXPECT_EQ(server->active(), 0U);
    });
}

TEST_F(LlamaRouterTest, StreamAnswersHeadWithoutStreaming) {
    serve([this]() -> asio::awaitable<void> {
        const auto answer = co_await ask("HEAD", "/v1/models/status/stream");
        EXPECT_EQ(answer.status, 200U);
        EXPECT_THAT(answer.head, testing::HasSubstr("text/event-stream"));
    });
}

}  // namespace
}  // namespace routerd::test
