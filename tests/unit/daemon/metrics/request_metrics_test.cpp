#include "daemon/metrics/request_metrics.hpp"

#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/metrics/text.hpp"
#include "tests/support/prometheus.hpp"

namespace routerd::metrics {
namespace {

using std::chrono::milliseconds;
using test::Prometheus;
using testing::IsEmpty;

constexpr std::string_view chat = "/v1/chat/completions";

RequestSample sample(std::string_view model, unsigned status = 200,
                     std::string_view endpoint = chat) {
    RequestSample made;
    made.model = model;
    made.endpoint = endpoint;
    made.status = status;
    made.took = milliseconds(40);
    return made;
}

std::map<std::string, std::string> labels(const std::string& model,
                                          const std::string& status = "200",
                                          const std::string& endpoint = std::string(chat)) {
    return {{"model", model}, {"endpoint", endpoint}, {"status", status}};
}

class RequestMetricsTest : public testing::Test {
  protected:
    Prometheus read() {
        Text text;
        all_.write(text);
        Prometheus read(text.take());
        EXPECT_THAT(read.faults(), IsEmpty());
        return read;
    }

    RequestMetrics all_;
    RequestShard& shard_ = all_.add_shard();
};

TEST_F(RequestMetricsTest, CountsByModelEndpointAndStatus) {
    shard_.record(sample("a"));
    shard_.record(sample("a"));
    shard_.record(sample("a", 503));
    shard_.record(sample("b"));
    shard_.record(sample("a", 200, "/v1/embeddings"));
    shard_.record(sample("", 404));
    const auto now = read();
    EXPECT_EQ(now.value("router_requests_total", labels("a")), 2);
    EXPECT_EQ(now.value("router_requests_total", labels("a", "503")), 1);
    EXPECT_EQ(now.value("router_requests_total", labels("b")), 1);
    EXPECT_EQ(now.value("router_requests_total", labels("a", "200", "/v1/embeddings")), 1);
    EXPECT_EQ(now.value("router_requests_total", labels("", "404")), 1);
    EXPECT_EQ(now.count("router_requests_total"), 5U);
    EXPECT_EQ(now.type("router_requests_total"), "counter");
}

TEST_F(RequestMetricsTest, KeepsTimesAndTokensOfEachModel) {
    auto one = sample("a");
    one.took = milliseconds(2000);
    one.queued = milliseconds(300);
    one.first_byte = milliseconds(700);
    one.prompt_tokens = 11;
    one.completion_tokens = 5;
    shard_.record(one);
    one.endpoint = "/v1/messages";
    shard_.record(one);
    const auto now = read();
    EXPECT_EQ(now.value("router_request_duration_seconds_sum", {{"model", "a"}}), 4);
    EXPECT_EQ(now.value("router_queue_wait_seconds_sum", {{"model", "a"}}), 0.6);
    EXPECT_EQ(now.value("router_time_to_first_byte_seconds_count", {{"model", "a"}}), 2);
    EXPECT_EQ(now.value("router_tokens_total", {{"model", "a"}, {"kind", "prompt"}}), 22);
    EXPECT_EQ(now.value("router_tokens_total", {{"model", "a"}, {"kind", "completion"}}), 10);
}

TEST_F(RequestMetricsTest, AnAnswerThatNeverBeganHasNoFirstByte) {
    shard_.record(sample("a", 503));
    EXPECT_EQ(read().value("router_time_to_first_byte_seconds_count", {{"model", "a"}}),
              std::nullopt);
}

TEST_F(RequestMetricsTest, ManyNamesDoNotGrowIt) {
    for (int i = 0; i < 100'000; ++i) {
        shard_.record(sample("model-" + std::to_string(i)));
    }
    const auto now = read();
    EXPECT_LE(now.count("router_requests_total"), RequestShard::most_series + 1);
    EXPECT_LE(now.count("router_request_duration_seconds_count"), RequestShard::most_models + 1);
    const auto rest = 100'000.0 - static_cast<double>(RequestShard::most_series);
    EXPECT_EQ(now.value("router_requests_total", labels("_other", "200", "_other")), rest);
    EXPECT_EQ(now.value("router_requests_total", labels("model-7")), 1) << "who came first stays";
}

TEST_F(RequestMetricsTest, AStatusThatIsNoneIsOne) {
    for (unsigned i = 1000; i < 9000; ++i) {
        shard_.record(sample("a", i));
    }
    EXPECT_EQ(read().value("router_requests_total", labels("a", "0")), 8000);
}

TEST_F(RequestMetricsTest, ShardsAddUp) {
    auto& second = all_.add_shard();
    shard_.record(sample("a"));
    second.record(sample("a"));
    second.record(sample("b"));
    const auto now = read();
    EXPECT_EQ(now.value("router_requests_total", labels("a")), 2);
    EXPECT_EQ(now.value("router_requests_total", labels("b")), 1);
    EXPECT_EQ(now.value("router_request_duration_seconds_count", {{"model", "a"}}), 2);
}

TEST_F(RequestMetricsTest, IsReadWhileAnotherThreadRecords) {
    constexpr int rounds = 20'000;
    std::atomic<bool> done{false};
    std::thread worker([this, &done] {
        for (int i = 0; i < rounds; ++i) {
            shard_.record(sample("model-" + std::to_string(i % 50)));
        }
        done = true;
    });
    while (!done) {
        read();
    }
    worker.join();
    EXPECT_EQ(read().value("router_requests_total", labels("model-0")), rounds / 50);
}

}  // namespace
}  // namespace routerd::metrics
