#include "daemon/store/state_lock.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using testing::HasSubstr;

class StateLockTest : public testing::Test {
  protected:
    test::TempDir dir_;
    std::string state_ = dir_ / "a/state";
};

TEST_F(StateLockTest, MakesTheDirectoryForItsOwnerAlone) {
    ASSERT_TRUE(StateLock::acquire(state_));
    const auto mode = std::filesystem::status(state_).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_all);
}

TEST_F(StateLockTest, ASecondDaemonLearnsThePidAtOnce) {
    const auto first = StateLock::acquire(state_);
    ASSERT_TRUE(first);
    const auto begin = std::chrono::steady_clock::now();
    const auto second = StateLock::acquire(state_);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(500));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
    EXPECT_THAT(second.error().message(), HasSubstr("pid " + std::to_string(::getpid())));
    EXPECT_THAT(second.error().hint(), HasSubstr("[state] dir"));
}

TEST_F(StateLockTest, IsFreeAgainWhenGivenBack) {
    { ASSERT_TRUE(StateLock::acquire(state_)); }
    EXPECT_TRUE(StateLock::acquire(state_));
}

TEST_F(StateLockTest, IsFreeAgainWhenItsProcessIsKilled) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = StateLock::acquire(state_);
        [[maybe_unused]] const auto said = ::write(ready[1], lock ? "1" : "0", 1);
        ::pause();
        ::_exit(0);
    }
    char held = 0;
    ASSERT_EQ(::read(ready[0], &held, 1), 1);
    EXPECT_EQ(held, '1');
    const auto refused = StateLock::acquire(state_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("pid " + std::to_string(child)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(StateLock::acquire(state_));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(StateLockTest, RefusesASymbolicLinkInItsPlace) {
    std::filesystem::create_directories(state_);
    std::filesystem::create_symlink(dir_ / "elsewhere", state_ + "/state.lock");
    EXPECT_FALSE(StateLock::acquire(state_));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "elsewhere"));
}

TEST_F(StateLockTest, SaysWhyTheDirectoryCannotBeMade) {
    dir_.write("a", "a file");
    const auto refused = StateLock::acquire(state_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::unavailable);
    EXPECT_THAT(refused.error().message(), HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace routerd
