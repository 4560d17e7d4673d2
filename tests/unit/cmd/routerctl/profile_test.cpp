#include "cmd/routerctl/profile_file.hpp"
#include "common/api/codec.hpp"
#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* night = R"(
description = "quiet"
enabled_models = ["a", "b"]
preload = []
default_model = "a"
[overrides."qwen3.5"]
context = 8192
pin = true
tier = "fast"
devices = ["cuda0"]
)";

TEST(ProfileFileTest, ReadsWhatItWrote) {
    const auto profile = parse_profile(night, "night.toml");
    ASSERT_TRUE(profile) << profile.error().message();
    EXPECT_EQ(profile->description, "quiet");
    EXPECT_EQ(profile->enabled_models, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(profile->preload, std::vector<std::string>{});
    EXPECT_EQ(profile->default_model, "a");
    const auto& settings = profile->overrides.at("qwen3.5");
    EXPECT_EQ(settings.at("context"), "8192");
    EXPECT_EQ(settings.at("pin"), "true");
    EXPECT_EQ(settings.at("tier"), "fast");
    EXPECT_NE(settings.at("devices").find("cuda0"), std::string::npos);

    const auto again = parse_profile(render_profile(*profile), "again.toml");
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(api::encode(*again), api::encode(*profile));
}

struct ProfileCase {
    const char* name;
    const char* text;
    const char* error;
};

class BadProfileTest : public testing::TestWithParam<ProfileCase> {};

TEST_P(BadProfileTest, NamesThePlace) {
    const auto profile = parse_profile(GetParam().text, "p.toml");
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().message(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadProfileTest,
    testing::Values(
        ProfileCase{"Key", "enabled = []", "p.toml:1:11: unknown key 'enabled'"},
        ProfileCase{"List", "preload = \"a\"", "p.toml:1:11: must be a list of model names"},
        ProfileCase{"Name", "preload = [1]", "p.toml:1:12: must be a model's name"},
        ProfileCase{"Text", "\ndescription = 1", "p.toml:2:15: 'description' must be text"},
        ProfileCase{"Overrides", "overrides = 1", "p.toml:1:13: 'overrides' must be a table"},
        ProfileCase{"Model", "overrides.a = 1", "p.toml:1:15: must be a table of settings"}),
    [](const auto& row) { return row.param.name; });

class ProfileTest : public CtlTest {
  protected:
    api::Profile sent() const { return *api::decode<api::Profile>(daemon_.seen().back().body); }
};

TEST_F(ProfileTest, IsCreatedFromAFileAndFlags) {
    const auto file = daemon_.folder() + "/night.toml";
    std::ofstream(file) << night;
    daemon_.answer_json("POST /control/v1/profiles", R"({"name":"night"})", "201 Created");
    const auto outcome = ctl({"profile", "create", "night", "--from-file", file, "--default", "b",
                              "--set", "org/repo:Q4:context=1"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "night\n");
    EXPECT_EQ(sent().name, "night");
    EXPECT_EQ(sent().default_model, "b");
    EXPECT_EQ(sent().overrides.at("org/repo:Q4").at("context"), "1");
    EXPECT_EQ(sent().overrides.at("qwen3.5").at("pin"), "true");
}

TEST_F(ProfileTest, IsEditedByFlagsOrWithAnEditor) {
    daemon_.answer_json("GET /control/v1/profiles/night",
                        R"({"name":"night","description":"old","preload":["a"]})");
    daemon_.answer_json("PUT /control/v1/profiles/night", R"({"name":"night"})");
    EXPECT_EQ(ctl({"profile", "edit", "night", "--description", "new"}).code, 0);
    EXPECT_EQ(sent().description, "new");
    EXPECT_EQ(sent().preload, std::vector<std::string>{"a"});

    environment_["EDITOR"] = "sed -i s/old/edited/";
    EXPECT_EQ(ctl({"profile", "edit", "night"}).code, 0);
    EXPECT_EQ(sent().description, "edited");

    environment_["EDITOR"] = "true";
    EXPECT_EQ(ctl({"profile", "edit", "night"}).err, "routerctl: nothing was changed\n");
    environment_["EDITOR"] = "false";
    EXPECT_EQ(ctl({"profile", "edit", "night"}).code, 130);
}

TEST_F(ProfileTest, UseNoneLeavesTheActiveOne) {
    daemon_.answer_json("GET /control/v1/profiles",
                        R"({"items":[{"name":"day"},{"name":"night","active":true}]})");
    daemon_.answer_json("POST /control/v1/profiles/night/deactivate", R"({"name":"night"})");
    EXPECT_EQ(ctl({"profile", "use", "--none"}).out, "night\n");
    daemon_.answer_json("GET /control/v1/profiles", R"({"items":[{"name":"day"}]})");
    EXPECT_EQ(ctl({"profile", "use", "--none"}).code, 3);
    EXPECT_EQ(ctl({"profile", "use"}).code, 2);
}

}  // namespace
}  // namespace routerd::ctl
