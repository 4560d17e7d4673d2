#include "daemon/transfer/connection_count.hpp"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

using namespace std::chrono_literals;

/// An origin that gives so much to each connection, over a line of so much.
class ConnectionCountTest : public testing::Test {
  protected:
    void run(ConnectionCount& count, double each, double line, std::chrono::milliseconds time) {
        const auto end = now_ + time;
        for (; now_ < end; now_ += 50ms) {
            const auto rate = std::min(each * count.wanted(), line);
            received_ += static_cast<std::uint64_t>(rate * 0.05);
            count.observe(received_, count.wanted(), now_);
        }
    }

    TimePoint now_ = TimePoint(1h);
    std::uint64_t received_ = 0;
};

TEST_F(ConnectionCountTest, TakesAllWhenEachBringsMore) {
    ConnectionCount count(16);
    EXPECT_EQ(count.wanted(), 2U);
    run(count, 40e6, 1e12, 2s);
    EXPECT_EQ(count.wanted(), 16U);
}

TEST_F(ConnectionCountTest, GoesBackWhenMoreBringNothing) {
    ConnectionCount count(16);
    run(count, 500e6, 500e6, 2s);
    EXPECT_EQ(count.wanted(), 2U);
}

TEST_F(ConnectionCountTest, StopsWhereTheLineIsFull) {
    ConnectionCount count(16);
    run(count, 10e6, 40e6, 3s);
    EXPECT_EQ(count.wanted(), 4U);
}

TEST_F(ConnectionCountTest, LooksAgainWhenTheLineMayHaveGrown) {
    ConnectionCount count(8);
    run(count, 10e6, 20e6, 5s);
    EXPECT_EQ(count.wanted(), 2U);
    run(count, 10e6, 1e12, 20s);
    EXPECT_EQ(count.wanted(), 8U);
}

TEST_F(ConnectionCountTest, IsHeldToItsLimit) {
    ConnectionCount one(1);
    EXPECT_EQ(one.wanted(), 1U);
    run(one, 10e6, 1e12, 5s);
    EXPECT_EQ(one.wanted(), 1U);
    ConnectionCount many(16);
    run(many, 10e6, 1e12, 2s);
    many.set_most(3);
    EXPECT_EQ(many.wanted(), 3U);
    run(many, 10e6, 1e12, 15s);
    EXPECT_EQ(many.wanted(), 3U);
}

}  // namespace
}  // namespace routerd::transfer
