#include "common/base/time.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

TEST(TimeTest, PrintsAndReadsRfc3339) {
    const WallTime time{1795267375123ms};
    EXPECT_EQ(format_rfc3339(time), "2026-11-21T13:22:55.123Z");
    EXPECT_EQ(parse_rfc3339("2026-11-21T13:22:55.123Z"), time);
    EXPECT_EQ(parse_rfc3339("2026-11-21T14:22:55.123+01:00"), time);
    EXPECT_EQ(parse_rfc3339("2026-11-21 13:22:55Z"), WallTime{1795267375s});
}

TEST(TimeTest, RefusesWhatIsNoTime) {
    for (const auto* text :
         {"", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T25:00:00Z",
          "2026-11-21T13:22:55", "2026-11-21T13:22:55.Z", "2026-11-21T13:22:55Zx"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(TimeTest, SaysHowLongAgo) {
    const WallTime now{1795267375s};
    EXPECT_EQ(format_relative(now, now), "just now");
    EXPECT_EQ(format_relative(now - 45s, now), "45 seconds ago");
    EXPECT_EQ(format_relative(now - 4min, now), "4 minutes ago");
    EXPECT_EQ(format_relative(now - 73h, now), "3 days ago");
    EXPECT_EQ(format_relative(now + 5min, now), "in 5 minutes");
}

}  // namespace
}  // namespace routerd
