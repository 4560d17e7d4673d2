#include "daemon/metrics/values.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace routerd::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(HistogramTest, PutsATimeUnderTheFirstBoundThatIsNotBelowIt) {
    Histogram histogram;
    histogram.observe(microseconds(0));
    histogram.observe(milliseconds(1));
    histogram.observe(microseconds(1001));
    histogram.observe(seconds(300));
    histogram.observe(seconds(301));
    const auto reading = histogram.read();
    EXPECT_EQ(reading.counts[0], 2U) << "a bound belongs to its bucket";
    EXPECT_EQ(reading.counts[1], 1U);
    EXPECT_EQ(reading.counts[Histogram::bounds.size() - 1], 1U);
    EXPECT_EQ(reading.counts[Histogram::bounds.size()], 1U);
    EXPECT_EQ(reading.count(), 5U);
    EXPECT_EQ(reading.sum, 601'002'001U);
}

TEST(HistogramTest, TakesATimeThatWentBackForNone) {
    Histogram histogram;
    histogram.observe(milliseconds(-5));
    EXPECT_EQ(histogram.read().sum, 0U);
    EXPECT_EQ(histogram.read().counts[0], 1U);
}

TEST(HistogramTest, ReadingsAddUp) {
    Histogram one;
    Histogram other;
    one.observe(milliseconds(2));
    other.observe(milliseconds(2));
    other.observe(milliseconds(20));
    auto both = one.read();
    both.add(other.read());
    EXPECT_EQ(both.count(), 3U);
    EXPECT_EQ(both.counts[1], 2U);
    EXPECT_EQ(both.sum, 24'000U);
}

TEST(HistogramTest, BoundsRise) {
    for (std::size_t i = 1; i < Histogram::bounds.size(); ++i) {
        EXPECT_LT(Histogram::bounds.at(i - 1), Histogram::bounds.at(i));
    }
}

TEST(CounterTest, IsReadByAnotherThreadWhileItRises) {
    constexpr std::uint64_t rounds = 100'000;
    Counter counter;
    bool fell = false;
    std::thread reader([&counter, &fell] {
        std::uint64_t before = 0;
        while (before < rounds) {
            const auto now = counter.value();
            fell = fell || now < before;
            before = now;
        }
    });
    for (std::uint64_t i = 0; i < rounds; ++i) {
        counter.add();
    }
    reader.join();
    EXPECT_FALSE(fell);
    EXPECT_EQ(counter.value(), rounds);
}

}  // namespace
}  // namespace routerd::metrics
