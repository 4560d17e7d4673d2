#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "daemon/store/files.hpp"
#include "daemon/store/open.hpp"
#include "daemon/store/settings.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using testing::HasSubstr;

/// Lets no file of this process grow beyond `bytes`, which to a program looks like a full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    rlimit before_{};
    sighandler_t handler_;
};

std::vector<FileRow> two_megabytes() {
    std::vector<FileRow> rows;
    for (int i = 0; i < 200; ++i) {
        FileRow row;
        row.path = "/" + std::to_string(i);
        row.payload = std::string(10'000, 'x');
        rows.push_back(row);
    }
    return rows;
}

TEST(FullDiskTest, RefusesChangesReadsOnAndRecovers) {
    const test::TempDir dir;
    auto opened = open_state_database(dir / "state.db");
    ASSERT_TRUE(opened);
    SettingsRepository settings(opened->database);
    FileRepository files(opened->database);
    ASSERT_TRUE(settings.set("x", "1"));
    {
        const FileSizeLimit full(512 * 1024);
        const auto refused = files.apply(two_megabytes(), {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Errc::unavailable);
        EXPECT_THAT(refused.error().message(), HasSubstr("disk full"));
        EXPECT_EQ(*settings.get("x"), "1");
        EXPECT_EQ(files.load_all()->size(), 0U);
    }
    EXPECT_TRUE(files.apply(two_megabytes(), {}));
    EXPECT_EQ(files.load_all()->size(), 200U);
}

TEST(FullDiskTest, RefusesToStartWithoutRoomForItsDatabase) {
    const test::TempDir dir;
    {
        const FileSizeLimit full(6 * 1024);
        const auto refused = open_state_database(dir / "state.db");
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().message(), HasSubstr("disk full"));
    }
    EXPECT_TRUE(open_state_database(dir / "state.db"));
}

}  // namespace
}  // namespace routerd
