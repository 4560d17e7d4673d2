#include "daemon/metrics/text.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/prometheus.hpp"

namespace routerd::metrics {
namespace {

using test::Prometheus;
using testing::IsEmpty;

constexpr Metric things{"things_total", Type::counter, "Things."};
constexpr Metric level{"level", Type::gauge, "Level."};
constexpr Metric times{"times_seconds", Type::histogram, "Times."};

TEST(TextTest, WritesWhatPrometheusReads) {
    Text text;
    text.begin(things);
    text.sample({{"a", "x"}, {"b", "y"}}, std::uint64_t{3});
    text.single(level, 1.5);
    EXPECT_EQ(text.take(),
              "# HELP things_total Things.\n"
              "# TYPE things_total counter\n"
              "things_total{a=\"x\",b=\"y\"} 3\n"
              "# HELP level Level.\n"
              "# TYPE level gauge\n"
              "level 1.5\n");
}

TEST(TextTest, EscapesLabelValues) {
    Text text;
    text.begin(things);
    text.sample({{"a", "back\\slash \"quoted\"\nnext"}}, std::uint64_t{1});
    text.sample({{"a", "bad \xff byte"}}, std::uint64_t{2});
    const Prometheus read(text.take());
    EXPECT_THAT(read.faults(), IsEmpty());
    EXPECT_EQ(read.value("things_total", {{"a", "back\\slash \"quoted\"\nnext"}}), 1);
    EXPECT_EQ(read.value("things_total", {{"a", "bad \xEF\xBF\xBD byte"}}), 2);
}

TEST(TextTest, KeepsEveryDigit) {
    Text text;
    text.single(things, std::numeric_limits<std::uint64_t>::max());
    text.single(level, 1763737200.25);
    const auto written = text.take();
    EXPECT_THAT(written, testing::HasSubstr("things_total 18446744073709551615\n"));
    EXPECT_EQ(Prometheus(written).value("level"), 1763737200.25);
}

TEST(TextTest, BucketsOfAHistogramAddUp) {
    Histogram histogram;
    histogram.observe(std::chrono::milliseconds(3));
    histogram.observe(std::chrono::milliseconds(30));
    histogram.observe(std::chrono::hours(1));
    Text text;
    text.begin(times);
    text.sample({{"model", "m"}}, histogram.read());
    const Prometheus read(text.take());
    EXPECT_THAT(read.faults(), IsEmpty());
    EXPECT_EQ(read.type("times_seconds"), "histogram");
    EXPECT_EQ(read.value("times_seconds_bucket", {{"model", "m"}, {"le", "0.001"}}), 0);
    EXPECT_EQ(read.value("times_seconds_bucket", {{"model", "m"}, {"le", "0.05"}}), 2);
    EXPECT_EQ(read.value("times_seconds_bucket", {{"model", "m"}, {"le", "300"}}), 2);
    EXPECT_EQ(read.value("times_seconds_count", {{"model", "m"}}), 3);
    EXPECT_EQ(read.value("times_seconds_sum", {{"model", "m"}}), 3600.033);
}

/// The reader that these tests trust.
TEST(PrometheusReaderTest, RefusesWhatPrometheusWould) {
    const std::string head = "# HELP a A.\n# TYPE a counter\n";
    EXPECT_THAT(Prometheus(head + "a 1\n").faults(), IsEmpty());
    for (const auto* bad :
         {"a 1", "a x\n", "a{b=\"c} 1\n", "a{b=\"\\x\"} 1\n", "b 1\n", "a 1\na 2\n", "a-b 1\n",
          "a{b=\"c\"d=\"e\"} 1\n", "# TYPE a gauge\na 1\n", "# TYPE c other\nc 1\n"}) {
        EXPECT_FALSE(Prometheus(head + bad).faults().empty()) << bad;
    }
    const std::string times_head = "# HELP h H.\n# TYPE h histogram\n";
    EXPECT_FALSE(Prometheus(times_head + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n"
                                         "h_sum 1\nh_count 1\n")
                     .faults()
                     .empty());
}

}  // namespace
}  // namespace routerd::metrics
