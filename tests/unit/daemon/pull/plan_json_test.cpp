#include "daemon/pull/plan_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.hpp"

namespace routerd::pull {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Plan whole_plan() {
    Plan plan;
    plan.name = "org/repo:Q4_K_M";
    RemoteFile model;
    model.path = "org/repo/it's \"a\" modèle.gguf";
    model.url = "https://huggingface.co/org/repo/resolve/main/a.gguf?download=true";
    model.size = std::uint64_t{1} << 63U;
    model.sha256 = std::string(64, 'a');
    RemoteFile projector;
    projector.path = "b.gguf";
    projector.local = "/somewhere/b.gguf";
    plan.files = {model, projector};
    plan.root = "/models";
    plan.in_hub_cache = true;
    plan.notes = {"chosen: Q4_K_M", "it fits"};
    plan.overrides = {{"context", "8192"}, {"set.stop", R"(["a"])"}};
    plan.hub = HubRevision{"org/repo", std::string(40, 'c')};
    plan.chat_template = "chatml";
    return plan;
}

TEST(PlanJsonTest, ComesBackAsItWas) {
    const auto plan = plan_from_json(to_json(whole_plan()));
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "org/repo:Q4_K_M");
    ASSERT_EQ(plan->files.size(), 2U);
    const auto wanted = whole_plan();
    for (std::size_t i = 0; i < plan->files.size(); ++i) {
        EXPECT_EQ(plan->files[i].path, wanted.files[i].path);
        EXPECT_EQ(plan->files[i].url, wanted.files[i].url);
        EXPECT_EQ(plan->files[i].local, wanted.files[i].local);
        EXPECT_EQ(plan->files[i].size, wanted.files[i].size);
        EXPECT_EQ(plan->files[i].sha256, wanted.files[i].sha256);
    }
    EXPECT_THAT(plan->notes, ElementsAre("chosen: Q4_K_M", "it fits"));
    EXPECT_THAT(plan->overrides,
                ElementsAre(Pair("context", "8192"), Pair("set.stop", R"(["a"])")));
    ASSERT_TRUE(plan->hub);
    EXPECT_EQ(plan->hub->repo, "org/repo");
    EXPECT_EQ(plan->hub->revision, std::string(40, 'c'));
    EXPECT_EQ(plan->chat_template, "chatml");
    EXPECT_EQ(to_json(*plan), to_json(wanted));
}

TEST(PlanJsonTest, WhatIsAbsentStaysAbsent) {
    const auto plan = plan_from_json(to_json(Plan()));
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "");
    EXPECT_THAT(plan->files, IsEmpty());
    EXPECT_THAT(plan->notes, IsEmpty());
    EXPECT_THAT(plan->overrides, IsEmpty());
    EXPECT_FALSE(plan->hub);
    EXPECT_EQ(plan->chat_template, "");
}

TEST(PlanJsonTest, RefusesJunk) {
    const auto whole = to_json(whole_plan());
    EXPECT_FALSE(plan_from_json(whole.substr(0, whole.size() - 1)));
    for (const auto* text :
         {"", "null", "[]", "{}", "7", "\"plan\"", R"({"name": 1})",
          R"({"name":"n","files":{"path":"x"},"notes":[],"overrides":[],"chat_template":""})",
          R"({"name":"n","files":[{"path":"x"}],"notes":[],"overrides":[],"chat_template":""})",
          R"({"name":"n","files":[],"notes":[1],"overrides":[],"chat_template":""})",
          R"({"name":"n","files":[],"notes":[],"overrides":[],"chat_template":"","hub":{}})"}) {
        const auto plan = plan_from_json(text);
        EXPECT_TRUE(!plan && plan.error().code() == Errc::invalid_request) << text;
    }
}

TEST(PlanJsonTest, TakesNoSizeThatIsNone) {
    const auto whole = to_json(whole_plan());
    const auto size = std::to_string(*whole_plan().files[0].size);
    for (const auto* other : {"-1", "1.5", "1e300", "18446744073709551616", "\"5\"", "null"}) {
        auto text = whole;
        text.replace(text.find(size), size.size(), other);
        EXPECT_FALSE(plan_from_json(text)) << other;
    }
}

TEST(PlanJsonTest, SaysWhatIsWrongInWordsForATerminal) {
    const auto plan = plan_from_json("{\"name\":\"\xff\x7f\"}");
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().message(), escaped(plan.error().message()));
}

TEST(PlanJsonTest, BytesThatAreNoTextDoNotBreakIt) {
    Plan plan;
    plan.name = "a\xff";
    const auto read = plan_from_json(to_json(plan));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->name, "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace routerd::pull
