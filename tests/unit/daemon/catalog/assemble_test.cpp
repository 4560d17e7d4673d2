#include "daemon/catalog/assemble.hpp"

#include <gtest/gtest.h>

#include "daemon/catalog/names.hpp"

namespace routerd {
namespace {

FoundModel found_model(const std::string& id, std::uint64_t parameters = 3'000'000'000) {
    FoundModel model;
    model.id = id;
    model.stem = id;
    model.files = {"/m/" + id + ".gguf"};
    gguf::Metadata metadata;
    metadata.architecture = "llama";
    metadata.parameters = parameters;
    metadata.quantization = "Q4_K_M";
    model.metadata = std::make_shared<const gguf::Metadata>(metadata);
    return model;
}

class AssembleTest : public testing::Test {
  protected:
    Snapshot snapshot() const { return assemble(found_, layers_); }
    Model model(const std::string& id) const { return *snapshot().find(id); }

    Found found_{{found_model("a"), found_model("b", 20'000'000'000)}, {}, false, 0};
    Layers layers_;
};

TEST_F(AssembleTest, LaysOverridesOverConfigurationOverMetadata) {
    EXPECT_EQ(model("a").tier, Tier::fast);
    EXPECT_FALSE(model("a").tier_overridden);
    layers_.config["a"].tier = Tier::balanced;
    layers_.config["a"].context = 2048;
    EXPECT_EQ(model("a").tier, Tier::balanced);
    layers_.overrides["a"] = {{"tier", "powerful"}};
    EXPECT_EQ(model("a").tier, Tier::powerful);
    EXPECT_TRUE(model("a").tier_overridden);
    EXPECT_EQ(model("a").settings.context, 2048U);
    EXPECT_EQ(model("a").overrides.context, std::nullopt);
}

TEST_F(AssembleTest, OffersWhatIsElsewhereByItsName) {
    layers_.config["ab/far-70b"].url = "http://h";
    layers_.config["ab/far-70b"].aliases = {"far"};
    const auto all = snapshot();
    ASSERT_EQ(all.models.size(), 3U);
    EXPECT_EQ(all.models[1]->id, "ab/far-70b");  // by id
    EXPECT_EQ(all.find("FAR"), all.models[1].get());
    EXPECT_EQ(all.models[1]->source, Source::remote);
    EXPECT_TRUE(all.models[1]->files.empty());
    EXPECT_EQ(all.models[1]->size_bytes, 0U);
    EXPECT_EQ(all.models[1]->metadata.parameters, 70'000'000'000U);
    EXPECT_TRUE(all.models[1]->capabilities.completion);
    EXPECT_TRUE(all.models[1]->enabled);
}

TEST_F(AssembleTest, WhatIsElsewhereIsOfferedInPlaceOfAFileOfItsName) {
    layers_.config["a"].url = "http://h";
    const auto all = snapshot();
    EXPECT_EQ(all.models.size(), 2U);
    EXPECT_EQ(all.find("a")->source, Source::remote);
    layers_.config["a"].enabled = false;
    EXPECT_FALSE(model("a").enabled);
}

TEST_F(AssembleTest, ThinkingMovesAModelToPowerfulUnlessItsTierIsSaid) {
    layers_.overrides["a"] = {{"thinking", "true"}};
    EXPECT_EQ(model("a").tier, Tier::powerful);
    EXPECT_TRUE(model("a").capabilities.thinking);
    layers_.overrides["a"]["tier"] = "fast";
    EXPECT_EQ(model("a").tier, Tier::fast);
}

TEST_F(AssembleTest, APassedProfileLiesBetweenConfigurationAndOverrides) {
    layers_.config["a"].context = 1024;
    Profile profile;
    profile.enabled_models = {"a"};
    profile.overrides["a"] = {{"context", "2048"}, {"parallel", "2"}};
    layers_.profile = profile;
    layers_.overrides["a"] = {{"parallel", "4"}};
    EXPECT_EQ(model("a").settings.context, 2048U);
    EXPECT_EQ(model("a").settings.parallel, 4U);
    EXPECT_FALSE(model("b").enabled);
    layers_.overrides["b"] = {{"enabled", "true"}};
    EXPECT_TRUE(model("b").enabled);
}

TEST_F(AssembleTest, FindsByIdAndAliasInAnyCase) {
    found_.models[0].repo = "Org/Repo-GGUF";
    found_.models[0].aliases = {"llama3.2:1b"};
    layers_.config["a"].aliases = {{"Chat"}};
    const auto all = snapshot();
    for (const auto* name : {"a", "A", "chat", "CHAT", "llama3.2:1b", "org/repo-gguf:q4_k_m"}) {
        ASSERT_NE(all.find(name), nullptr) << name;
        EXPECT_EQ(all.find(name)->id, "a");
    }
    EXPECT_EQ(all.find("c"), nullptr);
    EXPECT_EQ(all.find(""), nullptr);
    EXPECT_EQ(model_named(all, "chet").error().code(), Errc::model_not_found);
    EXPECT_NE(model_named(all, "chet").error().hint().find("chat"), std::string::npos);
}

TEST_F(AssembleTest, AnAliasThatIsTakenIsDropped) {
    found_.models[0].aliases = {"b", "shared"};
    found_.models[1].aliases = {"shared"};
    const auto all = snapshot();
    EXPECT_EQ(all.find("b")->id, "b");
    EXPECT_EQ(all.find("shared")->id, "a");
    EXPECT_EQ(all.find("a")->aliases, std::vector<std::string>{"shared"});
    EXPECT_TRUE(all.find("b")->aliases.empty());
}

TEST_F(AssembleTest, ResolvesTheDefaultModel) {
    EXPECT_EQ(snapshot().default_model, "");
    layers_.config["b"].enabled = false;
    EXPECT_EQ(snapshot().default_model, "a");
    layers_.config["b"].enabled = true;
    layers_.configured_default = "B";
    EXPECT_EQ(snapshot().default_model, "b");
    layers_.chosen_default = "a";
    EXPECT_EQ(snapshot().default_model, "a");
    layers_.overrides["a"] = {{"enabled", "false"}};
    EXPECT_EQ(snapshot().default_model, "b");
}

TEST_F(AssembleTest, PassesOverTextsOfAnotherVersion) {
    layers_.overrides["a"] = {{"no_such_key", "1"}, {"context", "many"}, {"parallel", "2"}};
    EXPECT_EQ(model("a").settings.parallel, 2U);
    EXPECT_EQ(model("a").settings.context, std::nullopt);
}

}  // namespace
}  // namespace routerd
