#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::ElementsAre;
using testing::IsEmpty;

/// "drain a" for each stage that ended, in order.
class Stages {
  public:
    void operator()(const api::SwitchStage& stage) {
        if (stage.ms) {
            ended.push_back(stage.name + " " + stage.model);
        } else {
            begun.push_back(stage.name + " " + stage.model);
        }
    }

    std::vector<std::string> begun;
    std::vector<std::string> ended;
};

TEST_F(ControlTest, SwitchesStageByStageAndRemembersIt) {
    live([](Client& client) {
        Stages stages;
        const auto done = client.switch_to({.model = "A"}, std::ref(stages));
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_EQ(done->model, "a");
        EXPECT_EQ(done->state, "ready");
        EXPECT_THAT(done->evicted, IsEmpty());
        EXPECT_THAT(stages.ended, ElementsAre("resolve a", "persist a", "load a", "ready a"));
        EXPECT_EQ(stages.begun, stages.ended);
        EXPECT_TRUE(client.models({})->items[0].is_default);
        Stages again;
        ASSERT_TRUE(client.switch_to({.model = "a"}, std::ref(again)));
        EXPECT_THAT(again.ended, ElementsAre("resolve a", "persist a", "ready a"));
    });
    live([](Client& client) {
        EXPECT_EQ(client.status()->default_model, "a");
        Stages stages;
        EXPECT_EQ(client.switch_to({.model = "b"}, std::ref(stages))->previous, "a");
    });
}

TEST_F(ControlTest, AnExclusiveSwitchUnloadsTheRest) {
    live([](Client& client) {
        ASSERT_TRUE(client.load("a", Wait::until_done));
        const auto plan = client.plan_switch("b", true);
        ASSERT_TRUE(plan) << plan.error().message();
        ASSERT_EQ(plan->evict.size(), 1U);
        EXPECT_EQ(plan->evict[0].model, "a");
        EXPECT_NE(plan->evict[0].reason, "");
        EXPECT_TRUE(plan->load);
        EXPECT_EQ(client.status()->default_model, std::nullopt) << "a dry run changes nothing";

        Stages stages;
        const auto done = client.switch_to({.model = "b", .exclusive = true}, std::ref(stages));
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_THAT(done->evicted, ElementsAre("a"));
        EXPECT_THAT(stages.ended, testing::Contains("unload a"));
        EXPECT_EQ(stages.ended.back(), "ready b");
        EXPECT_EQ(client.instances(Client::Which::running)->items.size(), 1U);
    });
}

TEST_F(ControlTest, ASwitchMakesRoomWhereItMust) {
    loaded_.config.limits.max_loaded = 1;
    live([](Client& client) {
        ASSERT_TRUE(client.load("a", Wait::until_done));
        Stages stages;
        const auto done = client.switch_to({.model = "b"}, std::ref(stages));
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_THAT(done->evicted, ElementsAre("a"));
        EXPECT_THAT(stages.ended, testing::Contains("unload a"));
    });
}

TEST_F(ControlTest, ASwitchThatFailsSaysSoAtItsEnd) {
    loaded_.config.model["a"].env["FAKE_LLAMA"] = "crash-load";
    live([](Client& client) {
        Stages stages;
        const auto failed = client.switch_to({.model = "a"}, std::ref(stages));
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code(), Errc::load_failed);
        EXPECT_THAT(stages.begun, ElementsAre("resolve a", "persist a", "load a"));
    });
}

TEST_F(ControlTest, RefusesASwitchBeforeItBegins) {
    live([](Client& client) {
        Stages stages;
        const auto none = client.switch_to({.model = "none"}, std::ref(stages));
        EXPECT_EQ(none.error().code(), Errc::model_not_found);
        const auto empty = client.switch_to({}, std::ref(stages));
        EXPECT_EQ(empty.error().code(), Errc::invalid_request);
        ASSERT_TRUE(client.change("a", {.set = {{"enabled", "false"}}}));
        const auto disabled = client.switch_to({.model = "a"}, std::ref(stages));
        EXPECT_EQ(disabled.error().code(), Errc::conflict);
        EXPECT_THAT(stages.begun, IsEmpty());
    });
}

TEST_F(ControlTest, SwitchesWithoutWaiting) {
    live([](Client& client) {
        const auto begun =
            client.switch_to({.model = "a", .wait = false}, [](const api::SwitchStage&) {});
        ASSERT_TRUE(begun) << begun.error().message();
        EXPECT_NE(begun->state, "off");
        EXPECT_EQ(client.status()->default_model, "a");
    });
}

}  // namespace
}  // namespace routerd::test
