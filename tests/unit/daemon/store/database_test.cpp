#include "daemon/store/database.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

class DatabaseTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(database_.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)"));
    }

    std::int64_t count() { return *database_.integer("SELECT count(*) FROM t"); }

    test::TempDir dir_;
    Database database_ = *Database::connect(dir_ / "x.db", Database::Mode::create);
};

TEST_F(DatabaseTest, BindsAndReadsBackWhatItWasGiven) {
    const std::string text("a\0'; DROP TABLE t; --\xFF", 22);
    ASSERT_TRUE(database_.run("INSERT INTO t VALUES (?1, ?2)", {std::int64_t{-5}, text}));
    ASSERT_TRUE(database_.run("INSERT INTO t VALUES (?1, ?2)", {to_sql(~0ULL >> 1U), {}}));
    ASSERT_TRUE(database_.run("INSERT INTO t VALUES (?1, ?2)", {std::int64_t{0}, ""}));
    auto select = database_.prepare("SELECT n, s FROM t ORDER BY n");
    ASSERT_TRUE(select);
    std::vector<std::int64_t> numbers;
    std::vector<std::string> texts;
    std::vector<bool> nulls;
    ASSERT_TRUE(select->each({}, [&](const SqlRow& row) {
        numbers.push_back(row.integer(0));
        texts.push_back(row.text(1));
        nulls.push_back(row.null(1));
    }));
    EXPECT_EQ(numbers, (std::vector<std::int64_t>{-5, 0, 0x7FFFFFFFFFFFFFFF}));
    EXPECT_EQ(texts, (std::vector<std::string>{text, "", ""}));
    EXPECT_EQ(nulls, (std::vector<bool>{false, false, true}));
}

TEST_F(DatabaseTest, KeepsTheBitsOfAnUnsignedNumber) {
    EXPECT_EQ(from_sql(to_sql(0xFFFFFFFFFFFFFFFE)), 0xFFFFFFFFFFFFFFFE);
}

TEST_F(DatabaseTest, RunsAStatementAgainAfterItFailed) {
    auto insert = database_.prepare("INSERT INTO t VALUES (?1, 'x')");
    ASSERT_TRUE(insert);
    EXPECT_TRUE(insert->run({std::int64_t{1}}));
    const auto twice = insert->run({std::int64_t{1}});
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code(), Errc::conflict);
    EXPECT_TRUE(insert->run({std::int64_t{2}}));
    EXPECT_EQ(count(), 2);
}

TEST_F(DatabaseTest, KeepsAStatementForTheNextTime) {
    constexpr auto insert = "INSERT INTO t VALUES (?1, 'x')";
    const auto first = database_.kept(insert);
    ASSERT_TRUE(first);
    EXPECT_TRUE((*first)->run({std::int64_t{1}}));
    EXPECT_FALSE((*first)->run({std::int64_t{1}}));
    auto moved = std::move(database_);
    const auto second = moved.kept(insert);
    ASSERT_TRUE(second);
    EXPECT_EQ(*second, *first);
    EXPECT_TRUE((*second)->run({std::int64_t{2}}));
    EXPECT_EQ(*moved.integer("SELECT count(*) FROM t"), 2);
    EXPECT_FALSE(moved.kept("SELECT nonsense FROM t"));
    ASSERT_TRUE(moved.execute("ALTER TABLE t ADD COLUMN nonsense"));
    EXPECT_TRUE(moved.kept("SELECT nonsense FROM t")) << "what failed was kept";
}

TEST_F(DatabaseTest, SaysWhichSqlWasWrong) {
    const auto wrong = database_.prepare("SELECT nonsense FROM t");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), Errc::internal);
    EXPECT_NE(wrong.error().message().find("nonsense"), std::string::npos);
}

TEST_F(DatabaseTest, RollsBackATransactionThatWasNotCommitted) {
    {
        auto transaction = Transaction::begin(database_);
        ASSERT_TRUE(transaction);
        ASSERT_TRUE(database_.run("INSERT INTO t VALUES (1, 'x')"));
        EXPECT_EQ(count(), 1);
    }
    EXPECT_EQ(count(), 0);
    auto transaction = Transaction::begin(database_);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database_.run("INSERT INTO t VALUES (1, 'x')"));
    ASSERT_TRUE(transaction->commit());
    EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, SaysWhatCannotBeOpened) {
    const auto missing = Database::connect(dir_ / "none/x.db", Database::Mode::create);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), Errc::unavailable);
    EXPECT_NE(missing.error().message().find("No such file"), std::string::npos)
        << missing.error().message();
}

}  // namespace
}  // namespace routerd
