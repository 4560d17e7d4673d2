#include "daemon/catalog/edits.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(EditsTest, CarriesAllChangesOutOrNone) {
    const KeyValues before{{"context", "4096"}};
    const auto after = edited(before, {{"parallel", "2"}, {"context", std::nullopt}});
    ASSERT_TRUE(after) << after.error().message();
    EXPECT_EQ(*after, (KeyValues{{"parallel", "2"}}));
    EXPECT_FALSE(edited(before, {{"parallel", "2"}, {"context", "many"}}));
    const auto unknown = edited(before, {{"contex", "1"}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), Errc::invalid_request);
}

TEST(EditsTest, TellsTheStoreOnlyWhatDiffers) {
    const auto changes =
        override_changes("m", {{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"b", "2"}, {"c", "4"}});
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].key, "a");
    EXPECT_FALSE(changes[0].value);
    EXPECT_EQ(changes[1].value, "4");
}

TEST(EditsTest, KeepsAliasesApart) {
    auto first = std::make_shared<Model>();
    first->id = "a";
    auto second = std::make_shared<Model>();
    second->id = "b";
    Snapshot snapshot;
    snapshot.models = {first, second};
    snapshot.names = {{"a", 0}, {"b", 1}, {"chat", 1}};
    EXPECT_TRUE(check_aliases(*first, {{"aliases", R"(["new"])"}}, snapshot));
    EXPECT_TRUE(check_aliases(*second, {{"aliases", R"(["chat"])"}}, snapshot));
    EXPECT_EQ(check_aliases(*first, {{"aliases", R"(["Chat"])"}}, snapshot).error().code(),
              Errc::conflict);
    EXPECT_EQ(check_aliases(*first, {{"aliases", R"(["tier:fast"])"}}, snapshot).error().code(),
              Errc::invalid_request);
}

TEST(EditsTest, TurnsOverridesIntoRowsAndBack) {
    const Overrides overrides{{"a", {{"x", "1"}, {"y", "2"}}}, {"b", {{"x", "3"}}}};
    EXPECT_EQ(from_rows(to_rows(overrides)), overrides);
}

}  // namespace
}  // namespace routerd
