#include "daemon/transfer/token_bucket.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

using namespace std::chrono_literals;

/// Takes pieces whenever it may, for ten seconds; how much that was.
std::uint64_t taken_in_ten_seconds(TokenBucket& bucket, TimePoint now, std::uint64_t piece) {
    std::uint64_t taken = 0;
    for (const auto end = now + 10s; now < end; now += 1ms) {
        while (bucket.may_take(now)) {
            bucket.take(piece);
            taken += piece;
        }
    }
    return taken;
}

TEST(TokenBucketTest, GivesItsRateWhateverThePieces) {
    constexpr TimePoint begin(1h);
    for (const std::uint64_t piece : {1'000U, 16'384U, 500'000U}) {
        TokenBucket bucket;
        bucket.set_rate(1'000'000, begin);
        const auto taken = taken_in_ten_seconds(bucket, begin, piece);
        EXPECT_GE(taken, 9'900'000U) << piece;
        EXPECT_LE(taken, 10'100'000U + piece) << piece;
    }
}

TEST(TokenBucketTest, HasNoLimitAtFirst) {
    TokenBucket bucket;
    const TimePoint now(1h);
    bucket.take(1U << 30U);
    EXPECT_TRUE(bucket.may_take(now));
    EXPECT_EQ(bucket.due(now), now);
}

TEST(TokenBucketTest, SaysWhenItMayGoOn) {
    TokenBucket bucket;
    const TimePoint now(1h);
    bucket.set_rate(1000, now);
    bucket.take(1000);
    EXPECT_FALSE(bucket.may_take(now));
    const auto due = bucket.due(now);
    EXPECT_GT(due, now + 800ms);
    EXPECT_LT(due, now + 1200ms);
    EXPECT_TRUE(bucket.may_take(due));
}

TEST(TokenBucketTest, ForgetsAnOldRate) {
    TokenBucket bucket;
    const TimePoint now(1h);
    bucket.set_rate(1000, now);
    bucket.take(500);
    bucket.set_rate(0, now);
    EXPECT_TRUE(bucket.may_take(now));
}

}  // namespace
}  // namespace routerd::transfer
