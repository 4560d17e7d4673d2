#include "daemon/telemetry/subscription.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(BroadcastTest, OneWhoLeavesDuringACallIsNotCalled) {
    Broadcast<int> broadcast;
    std::optional<Subscription> second;
    int sum = 0;
    const auto first = broadcast.subscribe([&](int) { second.reset(); });
    second = broadcast.subscribe([&](int value) { sum += value; });
    const auto third = broadcast.subscribe([&](int value) { sum += 10 * value; });
    broadcast.tell(1);
    EXPECT_EQ(sum, 10);
}

TEST(BroadcastTest, OneWhoLeavesInItsOwnCallIsSafe) {
    Broadcast<> broadcast;
    std::optional<Subscription> own;
    int calls = 0;
    own = broadcast.subscribe([&] {
        ++calls;
        own.reset();
    });
    broadcast.tell();
    broadcast.tell();
    EXPECT_EQ(calls, 1);
}

TEST(BroadcastTest, ASubscriptionMayOutliveIt) {
    Subscription subscription;
    {
        Broadcast<> broadcast;
        subscription = broadcast.subscribe([] {});
    }
    subscription = Subscription();
}

}  // namespace
}  // namespace routerd
