#include "daemon/net/turn_time.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

TEST(TurnTimeTest, IsNowOutsideOfATurn) {
    const auto before = steady_now();
    const auto wall_before = std::chrono::system_clock::now();
    const auto now = turn_now();
    EXPECT_GE(now, before);
    EXPECT_LE(now, steady_now());
    EXPECT_GE(turn_wall_now(), wall_before);
}

TEST(TurnTimeTest, StandsStillInATurnOfItsThread) {
    const auto began = steady_now() - 1h;
    {
        const TurnTime turn(began);
        EXPECT_EQ(turn_now(), began);
        const auto wall = turn_wall_now();
        for (const auto until = steady_now() + 2ms; steady_now() < until;) {
        }
        EXPECT_EQ(turn_wall_now(), wall);
        std::thread([began] { EXPECT_NE(turn_now(), began); }).join();
    }
    EXPECT_GT(turn_now(), began + 59min);
    const auto wall = std::chrono::system_clock::now();
    EXPECT_GE(turn_wall_now(), wall) << "of the turn before";
}

}  // namespace
}  // namespace routerd
