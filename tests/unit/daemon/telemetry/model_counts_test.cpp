#include "daemon/telemetry/model_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/metrics/text.hpp"
#include "tests/support/prometheus.hpp"

namespace routerd {
namespace {

class ModelCountsTest : public testing::Test {
  protected:
    void happens(const std::string& type, const std::string& model = "m",
                 const std::vector<std::pair<std::string, std::string>>& details = {}) {
        api::Event event;
        event.type = type;
        event.model = model;
        event.details = details;
        events_.append(event);
    }

    std::optional<double> value(const std::string& name, const std::string& model = "m") {
        metrics::Text text;
        counts_.write(text);
        const test::Prometheus read(text.take());
        EXPECT_THAT(read.faults(), testing::IsEmpty());
        return read.value(name, {{"model", model}});
    }

    EventLog events_;
    ModelCounts counts_{events_};
};

TEST_F(ModelCountsTest, CountsALife) {
    happens("instance.starting");
    happens("instance.ready", "m", {{"instance", "1"}, {"load_ms", "1500"}});
    happens("instance.stopping", "m", {{"reason", "idle"}});
    happens("instance.stopped");
    EXPECT_EQ(value("router_model_starts_total"), 1);
    EXPECT_EQ(value("router_model_restarts_total"), 0);
    EXPECT_EQ(value("router_model_load_seconds_count"), 1);
    EXPECT_EQ(value("router_model_load_seconds_sum"), 1.5);
    EXPECT_EQ(value("router_model_evictions_total"), 0);
    EXPECT_EQ(value("router_model_starts_total", "other"), std::nullopt);
}

TEST_F(ModelCountsTest, AStartAfterAFailureIsARestart) {
    happens("instance.starting");
    happens("instance.load_failed");
    happens("instance.starting");
    happens("instance.crashed");
    happens("instance.starting");
    happens("instance.starting");
    EXPECT_EQ(value("router_model_starts_total"), 4);
    EXPECT_EQ(value("router_model_restarts_total"), 2);
    EXPECT_EQ(value("router_model_load_failures_total"), 1);
    EXPECT_EQ(value("router_model_crashes_total"), 1);
}

TEST_F(ModelCountsTest, CountsWhatMakesRoom) {
    happens("instance.stopping", "m", {{"reason", "makes_room"}, {"other", "n"}});
    EXPECT_EQ(value("router_model_evictions_total"), 1);
    happens("instance.draining", "m", {{"reason", "door_closed"}, {"other", "n"}});
    happens("instance.stopping", "m", {{"reason", "door_closed"}, {"other", "n"}});
    EXPECT_EQ(value("router_model_evictions_total"), 2);
}

TEST_F(ModelCountsTest, ManyModelsDoNotGrowIt) {
    for (std::size_t i = 0; i < ModelCounts::most_models + 10; ++i) {
        happens("instance.starting", std::to_string(i));
    }
    EXPECT_EQ(value("router_model_starts_total", "_other"), 10);
}

}  // namespace
}  // namespace routerd
