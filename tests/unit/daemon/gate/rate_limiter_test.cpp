#include "daemon/gate/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

class RateLimiterTest : public testing::Test {
  protected:
    /// Whether a request at `after` the start is allowed.
    bool allowed(std::string_view key, TimePoint::duration after) {
        last_ = limiter_.take(key, start_ + after);
        return !last_.refusal;
    }

    RateLimiter limiter_;
    TimePoint start_ = TimePoint(1h);
    Admission last_;
};

TEST_F(RateLimiterTest, WithoutARuleCountsNothing) {
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(allowed("a", 0s));
        EXPECT_FALSE(last_.allowance);
    }
}

TEST_F(RateLimiterTest, AllowsABurstAndThenItsRate) {
    limiter_.apply({.per_minute = 60, .burst = 5});
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_TRUE(allowed("a", 0s));
        EXPECT_EQ(last_.allowance->limit, 5U);
        EXPECT_EQ(last_.allowance->remaining, 4U - i);
        EXPECT_EQ(last_.allowance->reset, std::chrono::seconds(i + 1));
    }
    EXPECT_FALSE(allowed("a", 0s));
    EXPECT_EQ(last_.refusal->code(), Errc::rate_limited);
    EXPECT_EQ(last_.refusal->retry_after(), 1s);
    EXPECT_EQ(last_.allowance->remaining, 0U);
    EXPECT_FALSE(allowed("a", 999ms)) << "one that was refused must not count";
    EXPECT_TRUE(allowed("a", 1s));
    EXPECT_FALSE(allowed("a", 1s));
    for (int second = 2; second < 100; ++second) {
        EXPECT_TRUE(allowed("a", std::chrono::seconds(second)));
        EXPECT_FALSE(allowed("a", std::chrono::seconds(second) + 500ms));
    }
}

TEST_F(RateLimiterTest, APauseFillsItAndNoMore) {
    limiter_.apply({.per_minute = 60, .burst = 3});
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(allowed("a", 0s));
    }
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(allowed("a", 10h));
    }
    EXPECT_FALSE(allowed("a", 10h));
}

TEST_F(RateLimiterTest, TheBurstIsAMinutesWorthUnlessSaid) {
    limiter_.apply({.per_minute = 7});
    for (int i = 0; i < 7; ++i) {
        EXPECT_TRUE(allowed("a", 0s));
    }
    EXPECT_FALSE(allowed("a", 0s));
    EXPECT_EQ(last_.refusal->retry_after(), 9s);  // 60/7, rounded up
}

TEST_F(RateLimiterTest, TokensAreCountedWhenTheyAreKnown) {
    limiter_.apply({.tokens_per_minute = 600});
    EXPECT_TRUE(limiter_.follows());
    EXPECT_TRUE(allowed("a", 0s));
    EXPECT_EQ(last_.tokens->limit, 600U);
    EXPECT_EQ(last_.tokens->remaining, 600U);
    EXPECT_FALSE(last_.allowance);
    limiter_.spend("a", 450, start_);
    EXPECT_TRUE(allowed("a", 0s));
    EXPECT_EQ(last_.tokens->remaining, 150U);
    EXPECT_EQ(last_.tokens->reset, 45s);
    limiter_.spend("a", 450, start_);  // more than was left: a debt of 300
    EXPECT_FALSE(allowed("a", 0s));
    EXPECT_EQ(last_.refusal->code(), Errc::rate_limited);
    EXPECT_EQ(last_.refusal->retry_after(), 31s);
    EXPECT_EQ(last_.tokens->remaining, 0U);
    EXPECT_FALSE(allowed("a", 30s));
    EXPECT_TRUE(allowed("a", 31s));
    EXPECT_EQ(last_.tokens->remaining, 10U);
    EXPECT_TRUE(allowed("b", 0s));
    limiter_.spend("b", ~0ULL, start_);
    EXPECT_FALSE(allowed("b", 1h));
    EXPECT_TRUE(allowed("b", 2h)) << "no mistake of a server's is for ever";
}

TEST_F(RateLimiterTest, WhoHasNoTokensLeftLosesNoRequests) {
    limiter_.apply({.per_minute = 2, .tokens_per_minute = 60});
    limiter_.spend("a", 60, start_);
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(allowed("a", 0s));
        EXPECT_EQ(last_.allowance->remaining, 2U);
    }
    EXPECT_TRUE(allowed("a", 2s));
    EXPECT_EQ(last_.allowance->remaining, 1U);
}

TEST_F(RateLimiterTest, SoManyAreUnderWayAndNoMore) {
    EXPECT_FALSE(limiter_.follows());
    limiter_.apply({.concurrent = 2});
    EXPECT_TRUE(limiter_.begin("a"));
    EXPECT_TRUE(limiter_.begin("a"));
    const auto third = limiter_.begin("a");
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code(), Errc::rate_limited);
    EXPECT_EQ(third.error().retry_after(), 1s);
    EXPECT_TRUE(limiter_.begin("b"));
    limiter_.end("a");
    EXPECT_TRUE(limiter_.begin("a"));
    limiter_.end("nobody");
    limiter_.apply({.concurrent = 1});
    limiter_.end("a");
    EXPECT_FALSE(limiter_.begin("a")) << "one is under way still";
    limiter_.end("a");
    EXPECT_TRUE(limiter_.begin("a"));
}

TEST_F(RateLimiterTest, KeysDoNotShare) {
    limiter_.apply({.per_minute = 1});
    EXPECT_TRUE(allowed("a", 0s));
    EXPECT_TRUE(allowed("b", 0s));
    EXPECT_TRUE(allowed("", 0s));
    for (const auto* key : {"a", "b", ""}) {
        EXPECT_FALSE(allowed(key, 0s));
    }
}

TEST_F(RateLimiterTest, KeysThatAreNotUsedAnyMoreAreForgotten) {
    limiter_.apply({.per_minute = 60, .tokens_per_minute = 60});
    constexpr int many = 10'000;
    for (int i = 0; i < many; ++i) {
        const auto key = std::to_string(i);
        EXPECT_TRUE(allowed(key, i * 1s));
        limiter_.spend(key, 10, start_ + i * 1s);
    }
    EXPECT_LT(limiter_.known(), 300U);
    limiter_.spend("busy", 6000, start_ + many * 1s);
    for (int i = 0; i < many; ++i) {
        limiter_.spend(std::to_string(i), 1, start_ + many * 1s);
    }
    EXPECT_FALSE(allowed("busy", many * 1s)) << "but nobody who owes something";
}

TEST_F(RateLimiterTest, AChangedRuleHoldsFromTheNextRequestOn) {
    limiter_.apply({.per_minute = 1});
    EXPECT_TRUE(allowed("a", 0s));
    EXPECT_FALSE(allowed("a", 1s));
    limiter_.apply({});
    EXPECT_TRUE(allowed("a", 1s));
    limiter_.apply({.per_minute = 6000, .burst = 1});
    EXPECT_FALSE(allowed("a", 1s));
    EXPECT_TRUE(allowed("a", 61s));
}

}  // namespace
}  // namespace routerd
