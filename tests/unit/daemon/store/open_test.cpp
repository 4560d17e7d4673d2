#include "daemon/store/open.hpp"

#include <array>
#include <filesystem>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/store/settings.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view first_schema = "CREATE TABLE notes (note TEXT)";
constexpr std::string_view second_schema =
    "ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT 7";
constexpr std::string_view broken_schema = "CREATE TABLE more (x); CREATE TABLE notes (x)";

class OpenTest : public testing::Test {
  protected:
    /// A database of this build with one setting in it, closed.
    void make() {
        auto opened = open_state_database(path_);
        ASSERT_TRUE(opened) << opened.error().message();
        ASSERT_TRUE(opened->report.created);
        ASSERT_TRUE(SettingsRepository(opened->database).set("default_model", "a"));
    }

    /// A database of schema 1 of an imagined build, closed.
    void make_older() {
        auto opened = open_state_database(path_, std::array{first_schema});
        ASSERT_TRUE(opened);
        ASSERT_TRUE(opened->database.run("INSERT INTO notes VALUES ('kept')"));
    }

    void expect_started_anew(const std::string& problem) {
        auto opened = open_state_database(path_);
        ASSERT_TRUE(opened) << opened.error().message();
        EXPECT_TRUE(opened->report.created);
        EXPECT_THAT(opened->report.moved_aside, HasSubstr("state.db.corrupt-2"));
        EXPECT_TRUE(fs::exists(opened->report.moved_aside));
        EXPECT_THAT(opened->report.problem, HasSubstr(problem));
        EXPECT_TRUE(SettingsRepository(opened->database).set("default_model", "b"));
    }

    test::TempDir dir_;
    std::string path_ = dir_ / "state.db";
};

TEST_F(OpenTest, StartsADurableDatabase) {
    auto opened = open_state_database(path_);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->report.created);
    EXPECT_EQ(opened->report.problem, "");
    EXPECT_EQ(*opened->database.integer("PRAGMA synchronous"), 2);  // FULL
    EXPECT_EQ(*opened->database.integer("PRAGMA foreign_keys"), 1);
    EXPECT_EQ(*opened->database.integer("PRAGMA busy_timeout"), 5000);
    EXPECT_EQ(*opened->database.integer("PRAGMA cache_size"), -64);  // KiB
    EXPECT_EQ(*opened->database.integer("PRAGMA user_version"),
              static_cast<std::int64_t>(state_migrations().size()));
    EXPECT_TRUE(fs::exists(path_ + "-wal"));
}

TEST_F(OpenTest, KeepsWhatWasThereAndSaysNothing) {
    make();
    auto again = open_state_database(path_);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->report.created);
    EXPECT_EQ(again->report.moved_aside + again->report.backup + again->report.problem, "");
    EXPECT_EQ(*SettingsRepository(again->database).get("default_model"), "a");
}

TEST_F(OpenTest, MigratesAnOlderSchemaAfterABackup) {
    make_older();
    auto opened = open_state_database(path_, std::array{first_schema, second_schema});
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(opened->report.migrated_from, 1);
    EXPECT_EQ(opened->report.backup, path_ + ".schema-1.bak");
    EXPECT_EQ(*opened->database.integer("SELECT size FROM notes WHERE note = 'kept'"), 7);
    auto backup = open_state_database(opened->report.backup, std::array{first_schema});
    ASSERT_TRUE(backup) << backup.error().message();
    EXPECT_FALSE(backup->report.created);
    EXPECT_EQ(*backup->database.integer("SELECT count(*) FROM notes"), 1);
}

TEST_F(OpenTest, AMigrationThatFailsChangesNothing) {
    make_older();
    const auto failed = open_state_database(path_, std::array{first_schema, broken_schema});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("to schema 2"));
    auto opened = open_state_database(path_, std::array{first_schema});
    ASSERT_TRUE(opened);
    EXPECT_FALSE(opened->report.created);
    EXPECT_EQ(*opened->database.integer("SELECT count(*) FROM notes"), 1);
    EXPECT_EQ(*opened->database.integer("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(OpenTest, RefusesANewerSchemaAndLeavesItAlone) {
    ASSERT_TRUE(open_state_database(path_, std::array{first_schema, second_schema}));
    const auto before = test::read_file(path_);
    const auto refused = open_state_database(path_, std::array{first_schema});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("has schema 2"));
    EXPECT_THAT(refused.error().message(), HasSubstr("up to 1"));
    EXPECT_THAT(refused.error().hint(), HasSubstr("start the newer routerd"));
    EXPECT_EQ(test::read_file(path_), before);
}

TEST_F(OpenTest, RefusesADatabaseOfAnotherProgram) {
    {
        auto other = Database::connect(path_, Database::Mode::create);
        ASSERT_TRUE(other->execute("CREATE TABLE theirs (x)"));
    }
    const auto before = test::read_file(path_);
    const auto refused = open_state_database(path_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("another program"));
    EXPECT_EQ(test::read_file(path_), before);
}

TEST_F(OpenTest, StartsAnewBesideARandomFile) {
    std::mt19937 random(7);
    std::string noise(20'000, '\0');
    for (auto& byte : noise) {
        byte = static_cast<char>(random());
    }
    dir_.write("state.db", noise);
    expect_started_anew("not a database");
}

TEST_F(OpenTest, StartsAnewBesideADirectory) {
    dir_.write("state.db/inside", "x");
    expect_started_anew("it is a directory");
}

TEST_F(OpenTest, StartsAnewBesideADamagedFile) {
    make();
    auto bytes = test::read_file(path_);
    ASSERT_GT(bytes.size(), 3 * 4096U);
    bytes.replace(4096, 8192, 8192, '\x5A');
    dir_.write("state.db", bytes);
    expect_started_anew("");
}

TEST_F(OpenTest, NoTruncationLosesAnythingInSilence) {
    make();
    const auto whole = test::read_file(path_);
    for (std::size_t size = 0; size < whole.size(); size += 511) {
        fs::remove(path_ + "-wal");
        fs::remove(path_ + "-shm");
        dir_.write("state.db", whole.substr(0, size));
        auto opened = open_state_database(path_);
        ASSERT_TRUE(opened) << size << ": " << opened.error().message();
        EXPECT_EQ(opened->report.created, !opened->report.problem.empty()) << size;
        if (!opened->report.created) {  // what was cut off was an empty page
            EXPECT_EQ(*SettingsRepository(opened->database).get("default_model"), "a") << size;
        }
    }
}

TEST_F(OpenTest, AnyFlippedByteOpensOrStartsAnewOrIsRefused) {
    make();
    const auto whole = test::read_file(path_);
    for (std::size_t at = 0; at < whole.size(); at += 197) {
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
        dir_.write("state.db", bytes);
        const auto opened = open_state_database(path_);
        if (!opened) {  // the head says it is somebody else's, or newer
            EXPECT_EQ(opened.error().code(), Errc::conflict) << at << opened.error().message();
        }
    }
}

TEST_F(OpenTest, StartsAnewBesideALogWithoutItsFile) {
    dir_.write("state.db-wal", std::string(5000, 'w'));
    auto opened = open_state_database(path_);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_THAT(opened->report.problem, HasSubstr("write-ahead log"));
    EXPECT_EQ(test::read_file(opened->report.moved_aside + "-wal"), std::string(5000, 'w'));
}

TEST_F(OpenTest, SurvivesALogOfAnotherDatabase) {
    make();
    dir_.write("state.db-wal", std::string(5000, 'w'));
    dir_.write("state.db-shm", std::string(32'768, 's'));
    auto opened = open_state_database(path_);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(*SettingsRepository(opened->database).get("default_model"), "a");
}

TEST_F(OpenTest, FollowsASymbolicLink) {
    fs::create_directory(dir_ / "elsewhere");
    fs::create_symlink(dir_ / "elsewhere/state.db", path_);
    make();
    EXPECT_TRUE(fs::is_symlink(path_));
    EXPECT_TRUE(fs::is_regular_file(dir_ / "elsewhere/state.db"));
}

TEST_F(OpenTest, SaysWhyADirectoryCannotBeUsed) {
    const auto missing = open_state_database(dir_ / "none/state.db");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), Errc::unavailable);
    EXPECT_THAT(missing.error().message(), HasSubstr("No such file or directory"));
}

TEST_F(OpenTest, TwoConnectionsSeeTheSame) {
    make();
    auto one = open_state_database(path_);
    auto two = open_state_database(path_);
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    ASSERT_TRUE(SettingsRepository(one->database).set("default_model", "c"));
    EXPECT_EQ(*SettingsRepository(two->database).get("default_model"), "c");
}

}  // namespace
}  // namespace routerd
