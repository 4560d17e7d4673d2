#include <unistd.h>

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ControlTest, TellsHowTheDaemonIs) {
    dir_.write("models/bad.gguf", "<html>");
    live([this](Client& client) {
        ASSERT_TRUE(client.load("a", Wait::until_done));
        const auto status = client.status();
        ASSERT_TRUE(status) << status.error().message();
        EXPECT_EQ(status->state, "running");
        EXPECT_EQ(status->version, ROUTERD_VERSION);
        EXPECT_EQ(status->pid, ::getpid());
        EXPECT_EQ(status->state_dir, loaded_.config.state.dir);
        EXPECT_EQ(status->llama_server, FAKE_LLAMA_SERVER);
        EXPECT_EQ(status->models.total, 2U);
        EXPECT_EQ(status->models.enabled, 2U);
        EXPECT_EQ(status->models.loaded, 1U);
        EXPECT_EQ(status->models.broken, 1U);
        EXPECT_GT(status->memory_bytes, 0U);
        EXPECT_GT(status->host_memory_bytes, status->host_memory_available_bytes);
        EXPECT_EQ(status->models_memory_bytes, status->instances.at(0).memory_bytes);
        EXPECT_THAT(status->problems, testing::IsEmpty());
    });
}

TEST_F(ControlTest, IsDegradedWithoutAServerProgram) {
    loaded_.config.llama_server.path = dir_ / "no-such-program";
    live([](Client& client) {
        const auto status = client.status();
        ASSERT_TRUE(status);
        EXPECT_EQ(status->state, "degraded");
        EXPECT_THAT(status->problems, Contains(HasSubstr("no-such-program")));
        EXPECT_EQ(status->llama_server, "");
        EXPECT_NE(client.model("a")->cmdline_error, "");
    });
}

TEST_F(ControlTest, ShowsTheConfigurationWithOrigins) {
    live([](Client& client) {
        const auto list = client.config();
        ASSERT_TRUE(list) << list.error().message();
        bool found = false;
        for (const auto& entry : list->items) {
            if (entry.key == "limits.idle_unload") {
                EXPECT_EQ(entry.value, "\"5m\"");
                EXPECT_EQ(entry.origin, "default");
                found = true;
            }
        }
        EXPECT_TRUE(found);
    });
}

TEST_F(ControlTest, SaysWhatAReloadChanged) {
    live([](Client& client) {
        const auto result = client.reload_config();
        ASSERT_TRUE(result) << result.error().message();
        EXPECT_THAT(result->changed, ElementsAre("limits.parallel"));
        EXPECT_THAT(result->restart_required, ElementsAre("http.workers"));
    });
}

TEST_F(ControlTest, StopsWithOrWithoutTheModels) {
    for (const bool keep_models : {false, true}) {
        live([this, keep_models](Client& client) {
            ASSERT_TRUE(client.load("a", client::Wait::until_done));
            const auto result = client.shutdown({.keep_models = keep_models});
            ASSERT_TRUE(result) << result.error().message();
            EXPECT_EQ(result->pid, static_cast<std::uint64_t>(::getpid()));
            EXPECT_EQ(result->keep_models, keep_models);
            EXPECT_THAT(result->models, ElementsAre("a"));
            EXPECT_EQ(daemon_->asked_to_stop, keep_models);
        });
    }
}

TEST_F(ControlTest, RefusesToStopTwice) {
    live([this](Client& client) {
        ASSERT_TRUE(client.shutdown({}));
        daemon_->asked_to_stop.reset();
        const auto again = client.shutdown({.keep_models = true});
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code(), Errc::conflict);
        EXPECT_FALSE(daemon_->asked_to_stop);
    });
}

}  // namespace
}  // namespace routerd::test
