#include <cstdlib>

#include "daemon/backends/program.hpp"
#include "daemon/supervisor/probe.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"
#include "tools/tiny_model/chain_model.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

/// Against a real llama-server: LLAMA_SERVER_PATH or the one in PATH; skipped where there is none.
class RealServerTest : public FleetTest {
  protected:
    void SetUp() override {
        const char* named = std::getenv("LLAMA_SERVER_PATH");  // NOLINT(concurrency-mt-unsafe)
        const auto found = find_program(named == nullptr ? "llama-server" : named, "path");
        if (!found) {
            GTEST_SKIP() << found.error().message() << "; set LLAMA_SERVER_PATH";
        }
        config.llama_server.path = *found;
        config.llama_server.args = {"-t", "1"};
    }

    Model& add_real_model(const std::string& id) {
        auto& model = add_model(id);
        tiny_model::ChainOptions options;
        options.text = "the quick brown fox";
        const auto written = tiny_model::write_chain_model(model.files.front(), options);
        EXPECT_TRUE(written);
        return model;
    }

    asio::awaitable<std::string> get(const Endpoint& endpoint, std::string path) {
        Probe probe(loop.get_executor());
        const auto answer = co_await probe.get(endpoint, std::move(path), in(5s));
        EXPECT_TRUE(answer) << (answer ? "" : answer.error().message());
        co_return answer ? answer->body : std::string();
    }
};

TEST_F(RealServerTest, ServesWithTheSlotsAndContextItWasAskedFor) {
    auto& model = add_real_model("fox");
    model.settings.parallel = 3;
    model.settings.context = 512;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "fox");
        EXPECT_TRUE(granted) << (granted ? "" : granted.error().message());
        if (!granted) {
            co_return;
        }
        const auto props = co_await get(granted->endpoint(), "/props");
        EXPECT_THAT(props, HasSubstr("\"total_slots\":3"));
        EXPECT_THAT(props, HasSubstr("\"n_ctx\":512"));
        const auto listed = co_await get(granted->endpoint(), "/v1/models");
        EXPECT_THAT(listed, HasSubstr("\"fox\""));
    });
}

TEST_F(RealServerTest, SaysWhyItDidNotLoad) {
    add_model("broken");  // its file is no model
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "broken");
        EXPECT_FALSE(granted);
        EXPECT_THAT(granted.error().message(), HasSubstr("exit status 1: "));
        EXPECT_THAT(granted.error().message(), HasSubstr("broken.gguf"));
    });
}

TEST_F(RealServerTest, IsAdoptedAndKnowsItsContext) {
    add_real_model("fox").settings.context = 1024;
    live(
        [](Fleet& fleet) -> asio::awaitable<void> {
            const auto loaded = co_await fleet.load("fox");
            EXPECT_TRUE(loaded);
        },
        Fleet::OnShutdown::leave_running);
    live([](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_TRUE(fleet.view("fox").adopted);
        EXPECT_EQ(fleet.view("fox").context, 1024U);
        const auto restarted = co_await fleet.restart("fox");
        EXPECT_TRUE(restarted);
        EXPECT_FALSE(fleet.view("fox").adopted);
    });
}

TEST_F(RealServerTest, ServesOnTcp) {
    config.llama_server.listen = ServerListen::tcp;
    add_real_model("fox");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "fox");
        EXPECT_TRUE(granted);
        const auto health = co_await get(granted->endpoint(), "/health");
        EXPECT_THAT(health, HasSubstr("ok"));
    });
}

}  // namespace
}  // namespace routerd::test
