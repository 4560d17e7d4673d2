#include "daemon/telemetry/telemetry.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/metrics/text.hpp"
#include "daemon/store/store.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/prometheus.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;

/// Metrics need no loop that runs.
class TelemetryTest : public testing::Test {
  protected:
    test::Prometheus read() {
        metrics::Text text;
        telemetry_.write(text);
        test::Prometheus read(text.take());
        EXPECT_THAT(read.faults(), testing::IsEmpty());
        return read;
    }

    test::TempDir dir_;
    boost::asio::io_context loop_{1};
    EventLog events_;
    std::unique_ptr<Store> store_ = *Store::open(dir_.path());
    Telemetry telemetry_{loop_.get_executor(), *store_, events_};
};

TEST_F(TelemetryTest, ARequestIsInMetricsAndHistory) {
    FinishedRequest request;
    request.request = "r-1";
    request.endpoint = "/upstream/m/some/path";
    request.route = "/upstream/{model}/{path...}";
    request.model = "m";
    request.status = 200;
    request.prompt_tokens = 3;
    request.first_byte = 2ms;
    request.took = 20ms;
    telemetry_.record(request);
    const auto now = read();
    EXPECT_EQ(
        now.value("router_requests_total",
                  {{"model", "m"}, {"endpoint", "/upstream/{model}/{path...}"}, {"status", "200"}}),
        1);
    EXPECT_EQ(now.value("router_request_duration_seconds_sum", {{"model", "m"}}), 0.02);
    EXPECT_EQ(now.value("router_time_to_first_byte_seconds_sum", {{"model", "m"}}), 0.002);
    EXPECT_EQ(now.value("router_tokens_total", {{"model", "m"}, {"kind", "prompt"}}), 3);
    EXPECT_EQ(now.value("routerd_request_history_skipped_total"), 0);
    const auto rows = telemetry_.history().after(0);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].endpoint, "/upstream/m/some/path");
    EXPECT_EQ(rows[0].took, 20ms);
}

TEST_F(TelemetryTest, NamesThatAreNotModelsAreNoLabels) {
    for (int i = 0; i < 100; ++i) {
        const auto path = "/v1/" + std::to_string(i);
        FinishedRequest request;
        request.endpoint = path;
        request.status = 404;
        telemetry_.record(request);
    }
    EXPECT_EQ(read().count("router_requests_total"), 1U);
}

TEST_F(TelemetryTest, CountsWhatHappensToModels) {
    api::Event event;
    event.type = "instance.starting";
    event.model = "m";
    events_.append(event);
    EXPECT_EQ(read().value("router_model_starts_total", {{"model", "m"}}), 1);
}

}  // namespace
}  // namespace routerd
