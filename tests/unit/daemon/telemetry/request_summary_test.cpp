#include "daemon/telemetry/request_summary.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

RequestRow row(unsigned status, milliseconds took) {
    RequestRow made;
    made.model = "m";
    made.status = status;
    made.took = took;
    return made;
}

TEST(RequestSummaryTest, OfNothingIsZero) {
    const auto summary = summarize({});
    EXPECT_EQ(summary.requests, 0U);
    EXPECT_EQ(summary.took.p99, microseconds(0));
    EXPECT_EQ(summary.first_byte, std::nullopt);
    EXPECT_TRUE(summarize_by_model({}).empty());
    EXPECT_TRUE(summarize_errors({}).empty());
}

TEST(RequestSummaryTest, PercentilesAreTimesThatWereSeen) {
    std::vector<RequestRow> rows;
    for (int i = 100; i >= 1; --i) {
        rows.push_back(row(200, milliseconds(i)));
    }
    const auto summary = summarize(rows);
    EXPECT_EQ(summary.took.p50, milliseconds(50));
    EXPECT_EQ(summary.took.p95, milliseconds(95));
    EXPECT_EQ(summary.took.p99, milliseconds(99));
    EXPECT_EQ(summarize({row(200, milliseconds(7))}).took.p50, milliseconds(7));
}

TEST(RequestSummaryTest, AddsUp) {
    auto one = row(200, milliseconds(10));
    one.stream = true;
    one.prompt_tokens = 5;
    one.completion_tokens = 7;
    one.queued = milliseconds(4);
    one.first_byte = milliseconds(6);
    const auto summary =
        summarize({one, row(503, milliseconds(1)), one, row(399, milliseconds(1))});
    EXPECT_EQ(summary.requests, 4U);
    EXPECT_EQ(summary.failed, 1U);
    EXPECT_EQ(summary.streamed, 2U);
    EXPECT_EQ(summary.prompt_tokens, 10U);
    EXPECT_EQ(summary.completion_tokens, 14U);
    EXPECT_EQ(summary.queued, milliseconds(2));
    ASSERT_TRUE(summary.first_byte);
    EXPECT_EQ(summary.first_byte->p50, milliseconds(6)) << "only of those that were answered";
}

TEST(RequestSummaryTest, IsThereForEachModel) {
    auto other = row(200, milliseconds(1));
    other.model = "o";
    const auto models = summarize_by_model({row(200, milliseconds(9)), other, other});
    EXPECT_EQ(models.at("m").requests, 1U);
    EXPECT_EQ(models.at("o").requests, 2U);
    EXPECT_EQ(models.at("o").took.p50, milliseconds(1));
}

TEST(ErrorSummaryTest, GroupsByStatusAndModelMostFrequentFirst) {
    const auto at = [](int second) { return WallTime(std::chrono::seconds(second)); };
    auto newest = row(503, milliseconds(1));
    newest.started = at(9);
    newest.error = "queue full";
    auto older = newest;
    older.started = at(5);
    older.error = "an older message";
    auto single = row(404, milliseconds(1));
    single.started = at(7);
    const auto kinds = summarize_errors({newest, row(200, milliseconds(1)), single, older});
    ASSERT_EQ(kinds.size(), 2U);
    EXPECT_EQ(kinds[0].status, 503U);
    EXPECT_EQ(kinds[0].model, "m");
    EXPECT_EQ(kinds[0].count, 2U);
    EXPECT_EQ(kinds[0].last, at(9));
    EXPECT_EQ(kinds[0].message, "queue full");
    EXPECT_EQ(kinds[1].status, 404U);
}

}  // namespace
}  // namespace routerd
