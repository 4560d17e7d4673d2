#include "daemon/catalog/profiles.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

Snapshot snapshot_of(const std::vector<std::string>& ids) {
    Snapshot snapshot;
    for (const auto& id : ids) {
        auto model = std::make_shared<Model>();
        model->id = id;
        snapshot.names.emplace(id, snapshot.models.size());
        snapshot.models.push_back(model);
    }
    snapshot.names.emplace("alias-of-a", 0);
    return snapshot;
}

TEST(ProfilesTest, ReadsBackWhatItWrote) {
    Profile profile;
    profile.name = "night";
    profile.description = "small ones";
    profile.enabled_models = {"a"};
    profile.overrides["a"] = {{"context", "4096"}};
    profile.default_model = "a";
    const auto again = profile_from_text("night", profile_to_text(profile));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->description, "small ones");
    EXPECT_EQ(again->enabled_models, profile.enabled_models);
    EXPECT_EQ(again->overrides, profile.overrides);
    EXPECT_EQ(again->preload, std::nullopt);
    EXPECT_EQ(again->default_model, "a");
    EXPECT_FALSE(profile_from_text("x", "{"));
    EXPECT_FALSE(profile_from_text("x", R"({"description":1,"overrides":{}})"));
}

TEST(ProfilesTest, SlugsTheNameAndResolvesModels) {
    Profile profile;
    profile.name = "Production Use";
    profile.enabled_models = {"ALIAS-of-a"};
    profile.preload = {"*"};
    profile.overrides["alias-of-a"] = {{"context", "4096"}};
    const auto checked = checked_profile(profile, snapshot_of({"a", "b"}));
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_EQ(checked->name, "production-use");
    EXPECT_EQ(checked->enabled_models, std::vector<std::string>{"a"});
    EXPECT_TRUE(checked->overrides.contains("a"));
}

TEST(ProfilesTest, RefusesWhatCannotWork) {
    const auto all = snapshot_of({"a"});
    Profile profile;
    profile.name = "  ";
    EXPECT_EQ(checked_profile(profile, all).error().code(), Errc::invalid_request);
    profile.name = "p";
    profile.default_model = "none";
    EXPECT_EQ(checked_profile(profile, all).error().code(), Errc::model_not_found);
    profile.default_model.reset();
    profile.overrides["a"] = {{"contxt", "1"}};
    EXPECT_EQ(checked_profile(profile, all).error().code(), Errc::invalid_request);
}

TEST(ProfilesTest, UsingOneRemovesTheOverridesOfWhatItDecides) {
    Profile profile;
    profile.enabled_models = {"a"};
    profile.overrides["a"] = {{"context", "4096"}};
    const auto left = overrides_under(
        profile, {{"a", {{"context", "1"}, {"tier", "fast"}}}, {"b", {{"enabled", "false"}}}});
    EXPECT_EQ(left, (Overrides{{"a", {{"tier", "fast"}}}}));
}

}  // namespace
}  // namespace routerd
