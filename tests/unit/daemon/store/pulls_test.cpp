#include "daemon/store/pulls.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/store/open.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view hard_text = "it's \"a\"; DROP TABLE pulls; -- \n\t% ü";

PullRow pull_row(const std::string& ref) {
    PullRow row;
    row.ref = ref;
    row.state = "active";
    row.request = R"({"ref":"it's"})";
    row.created_at = WallTime(milliseconds(1'700'000'000'123));
    return row;
}

TransferRow transfer_row(const std::string& path) {
    TransferRow row;
    row.path = path;
    row.etag = "\"abc\"";
    row.size = std::uint64_t{1} << 40U;
    row.written = "0-4096";
    row.boot_id = "b";
    return row;
}

class StoredPullsTest : public testing::Test {
  protected:
    std::int64_t insert(const PullRow& row) {
        const auto id = pulls_.insert(row);
        EXPECT_TRUE(id) << id.error().message();
        return id ? *id : 0;
    }

    std::vector<PullRow> load() {
        auto rows = pulls_.load_all();
        EXPECT_TRUE(rows) << rows.error().message();
        return rows ? std::move(*rows) : std::vector<PullRow>();
    }

    std::optional<TransferRow> find(std::string_view path) {
        auto row = transfers_.find(path);
        EXPECT_TRUE(row) << row.error().message();
        return row ? std::move(*row) : std::nullopt;
    }

    test::TempDir dir_;
    OpenedDatabase opened_ = std::move(*open_state_database(dir_ / "state.db"));
    PullRepository pulls_{opened_.database};
    TransferRepository transfers_{opened_.database};
};

TEST_F(StoredPullsTest, ComeBackAsTheyWereTheOldestFirst) {
    EXPECT_THAT(load(), IsEmpty());
    const auto first = insert(pull_row(std::string(hard_text)));
    const auto second = insert(pull_row("b"));
    EXPECT_LT(first, second);
    const auto rows = load();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].id, first);
    EXPECT_EQ(rows[0].ref, hard_text);
    EXPECT_EQ(rows[0].state, "active");
    EXPECT_EQ(rows[0].request, R"({"ref":"it's"})");
    EXPECT_EQ(rows[0].created_at, pull_row("").created_at);
    EXPECT_EQ(rows[1].ref, "b");
}

TEST_F(StoredPullsTest, WhatIsAbsentStaysAbsent) {
    insert(pull_row("a"));
    const auto rows = load();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].finished_at, std::nullopt);
    EXPECT_THAT(rows[0].models, IsEmpty());
    for (const auto& text : {rows[0].code, rows[0].error, rows[0].hint, rows[0].plan}) {
        EXPECT_EQ(text, "");
    }
}

TEST_F(StoredPullsTest, AnUpdateChangesAllButReferenceAndCreation) {
    auto row = pull_row("a");
    row.id = insert(row);
    insert(pull_row("b"));
    row.ref = "another";
    row.created_at = WallTime();
    row.state = "failed";
    row.code = "not_found";
    row.error = hard_text;
    row.hint = "check 'it'";
    row.request = "{}";
    row.plan = R"({"name":"x"})";
    row.models = {"m-1", "org/repo:Q4_K_M"};
    row.finished_at = WallTime(milliseconds(1'700'000'001'456));
    ASSERT_TRUE(pulls_.update(row));
    const auto rows = load();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].ref, "a");
    EXPECT_EQ(rows[0].created_at, pull_row("").created_at);
    EXPECT_EQ(rows[0].state, "failed");
    EXPECT_EQ(rows[0].code, "not_found");
    EXPECT_EQ(rows[0].error, hard_text);
    EXPECT_EQ(rows[0].hint, "check 'it'");
    EXPECT_EQ(rows[0].request, "{}");
    EXPECT_EQ(rows[0].plan, R"({"name":"x"})");
    EXPECT_THAT(rows[0].models, ElementsAre("m-1", "org/repo:Q4_K_M"));
    EXPECT_EQ(rows[0].finished_at, row.finished_at);
    EXPECT_EQ(rows[1].state, "active");
}

TEST_F(StoredPullsTest, AnUpdateTakesAnEndBack) {
    auto row = pull_row("a");
    row.finished_at = row.created_at;
    row.id = insert(row);
    ASSERT_EQ(load().at(0).finished_at, row.created_at);
    row.finished_at.reset();
    ASSERT_TRUE(pulls_.update(row));
    EXPECT_EQ(load().at(0).finished_at, std::nullopt);
}

TEST_F(StoredPullsTest, WhatIsNotThereIsNotFound) {
    auto row = pull_row("a");
    row.id = 7;
    EXPECT_EQ(pulls_.update(row).error().code(), Errc::not_found);
    EXPECT_EQ(pulls_.remove(7).error().code(), Errc::not_found);
    EXPECT_THAT(load(), IsEmpty());
}

TEST_F(StoredPullsTest, AnIdIsNeverGivenTwice) {
    const auto first = insert(pull_row("a"));
    ASSERT_TRUE(pulls_.remove(first));
    EXPECT_THAT(load(), IsEmpty());
    EXPECT_GT(insert(pull_row("a")), first);
}

TEST_F(StoredPullsTest, TransfersComeBackAsTheyWere) {
    auto row = transfer_row("/models/it's \"one\".gguf");
    row.synced = "0-1";
    row.sha256 = std::string(64, 'a');
    ASSERT_TRUE(transfers_.save(row));
    const auto found = find(row.path);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->path, row.path);
    EXPECT_EQ(found->etag, "\"abc\"");
    EXPECT_EQ(found->size, std::uint64_t{1} << 40U);
    EXPECT_EQ(found->written, "0-4096");
    EXPECT_EQ(found->synced, "0-1");
    EXPECT_EQ(found->boot_id, "b");
    EXPECT_EQ(found->sha256, std::string(64, 'a'));
    EXPECT_FALSE(find("/models/it"));
}

TEST_F(StoredPullsTest, ATransferThatIsSavedAgainIsReplaced) {
    auto row = transfer_row("/a");
    ASSERT_TRUE(transfers_.save(row));
    ASSERT_TRUE(transfers_.save(transfer_row("/b")));
    row.size.reset();
    row.written = "0-8192";
    row.etag = "";
    ASSERT_TRUE(transfers_.save(row));
    const auto found = find("/a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->size, std::nullopt);
    EXPECT_EQ(found->written, "0-8192");
    EXPECT_EQ(found->etag, "");
    EXPECT_EQ(find("/b")->written, "0-4096");
    EXPECT_EQ(*opened_.database.integer("SELECT count(*) FROM transfers"), 2);
}

TEST_F(StoredPullsTest, ListsThePathsOfAllTransfers) {
    EXPECT_THAT(*transfers_.paths(), IsEmpty());
    ASSERT_TRUE(transfers_.save(transfer_row("/b")));
    ASSERT_TRUE(transfers_.save(transfer_row("/a")));
    EXPECT_THAT(*transfers_.paths(), ElementsAre("/a", "/b"));
}

TEST_F(StoredPullsTest, RemovingATransferThatIsNotThereIsNoError) {
    ASSERT_TRUE(transfers_.save(transfer_row("/a")));
    EXPECT_TRUE(transfers_.remove("/b"));
    EXPECT_TRUE(find("/a"));
    EXPECT_TRUE(transfers_.remove("/a"));
    EXPECT_TRUE(transfers_.remove("/a"));
    EXPECT_FALSE(find("/a"));
}

TEST_F(StoredPullsTest, AfterASaveOthersWaitForTheDiskAgain) {
    constexpr std::int64_t full = 2;
    ASSERT_EQ(*opened_.database.integer("PRAGMA synchronous"), full);
    ASSERT_TRUE(transfers_.save(transfer_row("/a")));
    EXPECT_EQ(*opened_.database.integer("PRAGMA synchronous"), full);
    ASSERT_TRUE(opened_.database.execute("DROP TABLE transfers"));
    EXPECT_FALSE(transfers_.save(transfer_row("/a")));
    EXPECT_EQ(*opened_.database.integer("PRAGMA synchronous"), full);
}

}  // namespace
}  // namespace routerd
