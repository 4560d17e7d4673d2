#include "daemon/supervisor/health_book.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

class HealthBookTest : public testing::Test {
  protected:
    HealthReport report() const { return book_.reports(now_).at(0); }

    HealthBook book_;
    TimePoint now_ = TimePoint(1000h);
};

TEST_F(HealthBookTest, IsUpFromItsStartUntilItFails) {
    book_.started("a", now_);
    now_ += 10s;
    book_.ready("a", now_);
    now_ += 20s;
    book_.ended("a", true, now_);
    EXPECT_EQ(report().uptime_percent, 100);
    now_ += 30s;
    EXPECT_EQ(report().uptime_percent, 50);
    EXPECT_EQ(report().consecutive_failures, 1U);
    book_.started("a", now_);
    now_ += 30s;
    EXPECT_NEAR(report().uptime_percent, 100.0 / 3, 0.01) << "down until it is ready";
    book_.ready("a", now_);
    EXPECT_EQ(report().consecutive_failures, 0U);
}

TEST_F(HealthBookTest, DoesNotCountWhenNobodyWantsIt) {
    book_.started("a", now_);
    book_.ready("a", now_);
    now_ += 10s;
    book_.ended("a", false, now_);
    now_ += 10h;
    book_.started("a", now_);
    now_ += 10s;
    EXPECT_EQ(report().uptime_percent, 100);
}

TEST_F(HealthBookTest, CountsProbesThatWereNotAnswered) {
    book_.ready("a", now_);
    book_.probed("a", 8ms, now_);
    book_.probed("a", 4ms, now_);
    EXPECT_EQ(report().response_time, 7ms);
    book_.probed("a", std::nullopt, now_);
    book_.probed("a", std::nullopt, now_);
    EXPECT_EQ(report().consecutive_failures, 2U);
    EXPECT_EQ(report().response_time, 7ms);
    book_.probed("a", 7ms, now_);
    EXPECT_EQ(report().consecutive_failures, 0U);
    EXPECT_TRUE(report().last_check);
}

}  // namespace
}  // namespace routerd
