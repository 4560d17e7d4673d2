#include <chrono>

#include <gtest/gtest.h>

#include "daemon/store/files.hpp"
#include "daemon/store/keys.hpp"
#include "daemon/store/open.hpp"
#include "daemon/store/overrides.hpp"
#include "daemon/store/profiles.hpp"
#include "daemon/store/settings.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int patience = 10;
#else
constexpr int patience = 1;
#endif

class RepositoriesTest : public testing::Test {
  protected:
    test::TempDir dir_;
    OpenedDatabase opened_ = std::move(*open_state_database(dir_ / "state.db"));
    Database& database_ = opened_.database;
    FileRepository files_{database_};
    OverrideRepository overrides_{database_};
    SettingsRepository settings_{database_};
    ProfileRepository profiles_{database_};
    KeyRepository keys_{database_};
};

FileRow file_row(int i) {
    return {.path = "/models/" + std::to_string(i) + ".gguf",
            .device = 0xFFFFFFFFFFFFFFF0,
            .inode = static_cast<std::uint64_t>(i),
            .size = 1ULL << 40U,
            .modified_ns = -1,
            .payload = std::string(400, 'p')};
}

TEST_F(RepositoriesTest, FilesComeBackAsTheyWere) {
    ASSERT_TRUE(files_.apply({file_row(1), file_row(2)}, {}));
    auto changed = file_row(2);
    changed.payload = "new";
    ASSERT_TRUE(files_.apply({changed, file_row(3)}, {file_row(1).path, "/never/there"}));
    const auto rows = files_.load_all();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ(rows->at(0).path, "/models/2.gguf");
    EXPECT_EQ(rows->at(0).payload, "new");
    EXPECT_EQ(rows->at(1).device, 0xFFFFFFFFFFFFFFF0);
    EXPECT_EQ(rows->at(1).inode, 3U);
    EXPECT_EQ(rows->at(1).size, 1ULL << 40U);
    EXPECT_EQ(rows->at(1).modified_ns, -1);
}

TEST_F(RepositoriesTest, TenThousandFilesTakeAMoment) {
    std::vector<FileRow> many;
    for (int i = 0; i < 10'000; ++i) {
        many.push_back(file_row(i));
    }
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(files_.apply(many, {}));
    const auto written = std::chrono::steady_clock::now();
    EXPECT_EQ(files_.load_all()->size(), many.size());
    const auto read = std::chrono::steady_clock::now();
    const auto ms = [](auto duration) {
        return static_cast<int>(
            std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
    };
    RecordProperty("write_ms", ms(written - begin));
    RecordProperty("read_ms", ms(read - written));
    EXPECT_LT(ms(written - begin), 2000 * patience);  // 200 ms on a quiet machine
    EXPECT_LT(ms(read - written), 1000 * patience);
}

TEST_F(RepositoriesTest, OverridesAreSetAndUnsetTogether) {
    ASSERT_TRUE(overrides_.apply({{.model = "b", .key = "tier", .value = "fast"},
                                  {.model = "a", .key = "pin", .value = "true"},
                                  {.model = "a", .key = "context", .value = "4096"}}));
    ASSERT_TRUE(overrides_.apply({{.model = "a", .key = "pin", .value = std::nullopt},
                                  {.model = "a", .key = "context", .value = "8192"},
                                  {.model = "a", .key = "none", .value = std::nullopt}}));
    const std::vector<OverrideRow> expected{{.model = "a", .key = "context", .value = "8192"},
                                            {.model = "b", .key = "tier", .value = "fast"}};
    EXPECT_EQ(*overrides_.load_all(), expected);
}

TEST_F(RepositoriesTest, SettingsAreValuesByName) {
    EXPECT_EQ(*settings_.get(setting::default_model), std::nullopt);
    ASSERT_TRUE(settings_.set(setting::default_model, "a"));
    ASSERT_TRUE(settings_.set(setting::default_model, "b"));
    ASSERT_TRUE(settings_.set(setting::active_profile, "night"));
    EXPECT_EQ(*settings_.get(setting::default_model), "b");
    ASSERT_TRUE(settings_.unset(setting::active_profile));
    EXPECT_EQ(*settings_.load_all(), (Settings{{"default_model", "b"}}));
}

TEST_F(RepositoriesTest, ProfilesAreDocumentsByName) {
    const WallTime now = std::chrono::system_clock::now();
    ASSERT_TRUE(profiles_.put({.name = "night", .document = "{}", .changed_at = now}));
    ASSERT_TRUE(profiles_.put({.name = "day", .document = "{\"a\":1}", .changed_at = now}));
    ASSERT_TRUE(profiles_.put({.name = "night", .document = "{\"b\":2}", .changed_at = now}));
    const auto all = profiles_.list();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ(all->at(0).name, "day");
    EXPECT_EQ(all->at(1).document, "{\"b\":2}");
    EXPECT_LT(now - all->at(0).changed_at, std::chrono::milliseconds(1));
    EXPECT_EQ((*profiles_.get("day"))->document, "{\"a\":1}");
    EXPECT_EQ(*profiles_.get("noon"), std::nullopt);
    EXPECT_TRUE(profiles_.remove("day"));
    EXPECT_EQ(profiles_.remove("day").error().code(), Errc::not_found);
}

TEST_F(RepositoriesTest, UsingAProfileReplacesEveryChoice) {
    ASSERT_TRUE(overrides_.apply({{.model = "a", .key = "pin", .value = "true"}}));
    ASSERT_TRUE(settings_.set(setting::default_model, "a"));
    const std::vector<OverrideRow> overrides{{.model = "b", .key = "enabled", .value = "false"}};
    ASSERT_TRUE(profiles_.use(overrides, {{"active_profile", "night"}}));
    EXPECT_EQ(*overrides_.load_all(), overrides);
    EXPECT_EQ(*settings_.load_all(), (Settings{{"active_profile", "night"}}));
}

TEST_F(RepositoriesTest, UsingAProfileThatFailsChangesNothing) {
    ASSERT_TRUE(overrides_.apply({{.model = "a", .key = "pin", .value = "true"}}));
    const OverrideRow row{.model = "b", .key = "tier", .value = "fast"};
    const auto twice = profiles_.use({row, row}, {});
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code(), Errc::conflict);
    EXPECT_EQ(overrides_.load_all()->at(0).model, "a");
}

TEST_F(RepositoriesTest, KeysAreKeptByNameAndTakenOnce) {
    KeyRow row;
    row.id = "k-1";
    row.name = "ci";
    row.digest = "d1";
    row.scopes = {"inference", "read"};
    row.models = {"a", "org/b:Q4"};
    row.created_at = WallTime(std::chrono::milliseconds(1234));
    ASSERT_TRUE(keys_.insert(row));
    auto second = row;
    second.id = "k-2";
    second.digest = "d2";
    const auto taken = keys_.insert(second);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), Errc::conflict);
    second.name = "by";
    second.models.clear();
    second.expires_at = WallTime(std::chrono::milliseconds(-5));
    ASSERT_TRUE(keys_.insert(second));

    const auto rows = *keys_.load_all();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].name, "by");
    EXPECT_TRUE(rows[0].models.empty());
    EXPECT_EQ(rows[0].expires_at, second.expires_at);
    EXPECT_EQ(rows[1].id, "k-1");
    EXPECT_EQ(rows[1].digest, "d1");
    EXPECT_EQ(rows[1].scopes, row.scopes);
    EXPECT_EQ(rows[1].models, row.models);
    EXPECT_EQ(rows[1].created_at, row.created_at);
    EXPECT_FALSE(rows[1].expires_at);

    EXPECT_TRUE(keys_.remove("k-1"));
    EXPECT_EQ(keys_.remove("k-1").error().code(), Errc::not_found);
    EXPECT_EQ(keys_.load_all()->size(), 1U);
}

}  // namespace
}  // namespace routerd
