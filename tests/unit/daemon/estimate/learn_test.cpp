#include "daemon/estimate/learn.hpp"

#include <gtest/gtest.h>

#include "common/base/units.hpp"

namespace routerd {
namespace {

class LearnTest : public testing::Test {
  protected:
    static DeviceNeed need(const char* device, std::uint64_t kv, std::uint64_t compute,
                           std::uint64_t overhead) {
        DeviceNeed need{device, {}};
        need.bytes.weights = 100 * mib;
        need.bytes.kv = kv * mib;
        need.bytes.compute = compute * mib;
        need.bytes.overhead = overhead * mib;
        return need;
    }
    LearnTest() {
        predicted_.devices = {need("host", 50, 40, 20), need("cuda0", 50, 40, 400)};
        predicted_.droppable = 5 * mib;
    }

    Estimate predicted_;
};

TEST_F(LearnTest, TheSameLaunchIsThenWhatWasMeasured) {
    Observed observed;
    observed.logged = {need("host", 60, 30, 0)};
    observed.ready_resident = (100 + 60 + 5 + 25) * mib;  // 25 beside its parts
    observed.held = {{"cuda0", 690 * mib}};
    const auto estimate = corrected(predicted_, learn(predicted_, observed));
    const auto& host = estimate.find("host")->bytes;
    EXPECT_EQ(host.kv, 60 * mib);
    EXPECT_EQ(host.compute, 30 * mib);
    EXPECT_EQ(host.overhead, 25 * mib);
    EXPECT_EQ(estimate.find("cuda0")->bytes.overhead, 500 * mib);
    EXPECT_EQ(estimate.find("cuda0")->bytes.total(), 690 * mib);
}

TEST_F(LearnTest, ALaunchWithOtherParametersIsScaled) {
    Observed observed;
    observed.logged = {need("host", 60, 40, 0)};
    observed.ready_resident = (100 + 60 + 5 + 30) * mib;
    const auto correction = learn(predicted_, observed);
    auto fresh = predicted_;
    fresh.devices[0].bytes.kv = 100 * mib;
    fresh.devices[0].bytes.overhead = 24 * mib;
    const auto estimate = corrected(fresh, correction);
    const auto& host = estimate.find("host")->bytes;
    EXPECT_EQ(host.kv, 120 * mib);
    EXPECT_EQ(host.overhead, 34 * mib);  // ten more than was thought
}

TEST_F(LearnTest, APeakBeyondAllPartsIsOverhead) {
    Observed observed;
    observed.peak_resident = 300 * mib;
    const auto estimate = corrected(predicted_, learn(predicted_, observed));
    EXPECT_EQ(estimate.resident(), 300 * mib);
    observed.peak_resident = 100 * mib;  // less than it may come to
    EXPECT_EQ(corrected(predicted_, learn(predicted_, observed)), predicted_);
}

TEST_F(LearnTest, FilePagesThatTheKernelDroppedDoNotShrinkIt) {
    Observed observed;
    observed.ready_resident = 60 * mib;
    const auto estimate = corrected(predicted_, learn(predicted_, observed));
    EXPECT_EQ(estimate.find("host")->bytes.overhead, 10 * mib);
}

TEST_F(LearnTest, KnowsNothingWithoutObservations) {
    EXPECT_EQ(corrected(predicted_, learn(predicted_, {})), predicted_);
    EXPECT_EQ(corrected(predicted_, {}), predicted_);
}

TEST_F(LearnTest, FingerprintsTellModelsAndLaunchesApart) {
    gguf::Metadata model;
    model.architecture = "llama";
    model.parameters = 1000;
    auto other = model;
    other.name = "renamed";
    EXPECT_EQ(fingerprint(model), fingerprint(other));
    other.parameters = 1001;
    EXPECT_NE(fingerprint(model), fingerprint(other));
    LaunchParameters launch;
    auto longer = launch;
    longer.context = 8192;
    EXPECT_NE(fingerprint(model, launch), fingerprint(model, longer));
    longer = launch;
    longer.gpus = {{"cuda0", 1}};
    EXPECT_NE(fingerprint(model, launch), fingerprint(model, longer));
}

}  // namespace
}  // namespace routerd
