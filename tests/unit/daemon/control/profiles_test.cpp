#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

api::Profile night() {
    api::Profile profile;
    profile.name = "Night";
    profile.description = "one small model";
    profile.enabled_models = {"a"};
    profile.overrides["a"]["context"] = "256";
    return profile;
}

TEST_F(ControlTest, CreatesShowsAndRemovesProfiles) {
    live([](Client& client) {
        const auto created = client.create_profile(night());
        ASSERT_TRUE(created) << created.error().message();
        EXPECT_EQ(created->name, "night");
        EXPECT_EQ(client.create_profile(night()).error().code(), Errc::conflict);
        const auto shown = client.profile("night");
        ASSERT_TRUE(shown);
        EXPECT_EQ(shown->description, "one small model");
        EXPECT_EQ(shown->overrides.at("a").at("context"), "256");
        auto larger = night();
        larger.name = "night";
        larger.description = "one larger model";
        EXPECT_EQ(client.replace_profile(larger)->description, "one larger model");
        larger.name = "day";
        EXPECT_EQ(client.replace_profile(larger).error().code(), Errc::not_found);
        ASSERT_EQ(client.profiles("ni").value().items.size(), 1U);
        EXPECT_THAT(client.profiles("day")->items, IsEmpty());
        EXPECT_EQ(client.remove_profile("night")->name, "night");
        EXPECT_EQ(client.remove_profile("night").error().code(), Errc::not_found);
        EXPECT_EQ(client.profile("night").error().code(), Errc::not_found);
    });
}

TEST_F(ControlTest, AProfileInForceSurvivesARestart) {
    live([](Client& client) {
        ASSERT_TRUE(client.create_profile(night()));
        const auto used = client.use_profile("night");
        ASSERT_TRUE(used) << used.error().message();
        EXPECT_TRUE(used->active);
        EXPECT_EQ(client.remove_profile("night").error().code(), Errc::conflict);
    });
    live([](Client& client) {
        EXPECT_EQ(client.status()->active_profile, "night");
        EXPECT_EQ(client.models({}).value().items.size(), 1U);
        EXPECT_EQ(client.model("a")->summary.context_length, 256U);
        const auto left = client.leave_profile("night");
        ASSERT_TRUE(left) << left.error().message();
        EXPECT_FALSE(left->active);
        EXPECT_EQ(client.models({}).value().items.size(), 2U);
        EXPECT_EQ(client.leave_profile("night").error().code(), Errc::conflict);
        EXPECT_EQ(client.use_profile("day").error().code(), Errc::not_found);
    });
}

}  // namespace
}  // namespace routerd::test
