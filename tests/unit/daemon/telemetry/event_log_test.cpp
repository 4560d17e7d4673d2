#include "daemon/telemetry/event_log.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace routerd {
namespace {

api::Event event(const std::string& type) {
    api::Event event;
    event.type = type;
    event.message = "it happened";
    return event;
}

TEST(EventLogTest, GivesIdsAndTimes) {
    EventLog log;
    EXPECT_EQ(log.last_id(), 0U);
    const auto before = std::chrono::system_clock::now();
    log.append(event("a"));
    log.append(event("b"));
    ASSERT_EQ(log.events().size(), 2U);
    EXPECT_EQ(log.events()[0].id, 1U);
    EXPECT_EQ(log.events()[1].id, 2U);
    EXPECT_EQ(log.last_id(), 2U);
    EXPECT_GE(log.events()[0].time, before);
}

TEST(EventLogTest, KeepsTheNewest) {
    EventLog log;
    for (std::size_t i = 0; i < EventLog::kept + 5; ++i) {
        log.append(event("a"));
    }
    EXPECT_EQ(log.events().size(), EventLog::kept);
    EXPECT_EQ(log.events().front().id, 6U);
}

TEST(EventLogTest, TellsThoseWhoSubscribed) {
    EventLog log;
    std::vector<std::uint64_t> seen;
    {
        const auto subscription =
            log.subscribe([&seen](const api::Event& e) { seen.push_back(e.id); });
        log.append(event("a"));
        log.append(event("b"));
    }
    log.append(event("c"));
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2}));
}

}  // namespace
}  // namespace routerd
