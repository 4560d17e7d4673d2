#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(ControlTest, LoadsListsAndUnloads) {
    live([](Client& client) {
        const auto loaded = client.load("A", Wait::until_done);
        ASSERT_TRUE(loaded) << loaded.error().message();
        EXPECT_EQ(loaded->model, "a");
        EXPECT_EQ(loaded->state, "ready");
        EXPECT_FALSE(loaded->already_loaded);
        ASSERT_TRUE(loaded->instance);
        EXPECT_THAT(loaded->instance->address, HasSubstr("unix:"));
        EXPECT_EQ(loaded->instance->port, std::nullopt);
        EXPECT_TRUE(client.load("a", Wait::until_done)->already_loaded);

        const auto list = client.instances(Client::Which::running);
        ASSERT_EQ(list.value().items.size(), 1U);
        EXPECT_EQ(list->items[0].model, "a");
        EXPECT_GT(list->items[0].memory_bytes, 0U);
        EXPECT_EQ(client.models({})->items[0].state, "ready");

        EXPECT_THAT(client.unload("a")->models, ElementsAre("a"));
        EXPECT_THAT(client.unload("a")->models, IsEmpty());
        EXPECT_THAT(client.instances(Client::Which::running)->items, IsEmpty());
    });
}

TEST_F(ControlTest, LoadsWithoutWaitingAndUnloadsAll) {
    live([](Client& client) {
        const auto begun = client.load("a", Wait::no);
        ASSERT_TRUE(begun) << begun.error().message();
        EXPECT_NE(begun->state, "off");
        ASSERT_TRUE(client.load("a", Wait::until_done));
        EXPECT_THAT(client.unload_all()->models, ElementsAre("a"));
        EXPECT_THAT(client.unload_all()->models, IsEmpty());
    });
}

TEST_F(ControlTest, RestartsWithANewProcess) {
    live([](Client& client) {
        const auto first = client.load("a", Wait::until_done);
        ASSERT_TRUE(first);
        const auto second = client.restart("a");
        ASSERT_TRUE(second) << second.error().message();
        EXPECT_NE(second->instance->pid, first->instance->pid);
        EXPECT_EQ(second->state, "ready");
    });
}

TEST_F(ControlTest, SaysWhyALoadFailedAndForgetsIt) {
    loaded_.config.model["a"].env["FAKE_LLAMA"] = "crash-load";
    live([](Client& client) {
        const auto failed = client.load("a", Wait::until_done);
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code(), Errc::load_failed);
        const auto all = client.instances(Client::Which::all);
        ASSERT_EQ(all.value().items.size(), 1U);
        EXPECT_NE(all->items[0].last_error, "");
        EXPECT_THAT(client.instances(Client::Which::running)->items, IsEmpty());
        EXPECT_NE(client.model("a")->last_error, "");
        const auto reset = client.reset("a");
        ASSERT_TRUE(reset) << reset.error().message();
        EXPECT_EQ(reset->last_error, "");
        EXPECT_EQ(reset->summary.state, "off");
    });
}

TEST_F(ControlTest, UnknownModelsAreNotFoundByEveryVerb) {
    live([](Client& client) {
        EXPECT_EQ(client.load("none", Wait::until_done).error().code(), Errc::model_not_found);
        EXPECT_EQ(client.unload("none").error().code(), Errc::model_not_found);
        EXPECT_EQ(client.restart("none").error().code(), Errc::model_not_found);
        EXPECT_EQ(client.reset("none").error().code(), Errc::model_not_found);
    });
}

}  // namespace
}  // namespace routerd::test
