#include "common/base/units.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

TEST(UnitsTest, ReadsSizesWithBinaryAndDecimalUnits) {
    EXPECT_EQ(*parse_bytes("4096"), 4096U);
    EXPECT_EQ(*parse_bytes("2GiB"), 2147483648U);
    EXPECT_EQ(*parse_bytes("64 MiB"), 67108864U);
    EXPECT_EQ(*parse_bytes("1.5k"), 1536U);
    EXPECT_EQ(*parse_bytes("1GB"), 1000000000U);
}

TEST(UnitsTest, RefusesWhatIsNotASize) {
    for (const auto* text : {"", "GiB", "-1", "1 XB", "1MiB2", "99999999TiB", "1e400", "nan"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(UnitsTest, ReadsDurations) {
    EXPECT_EQ(*parse_duration("250ms"), 250ms);
    EXPECT_EQ(*parse_duration("5s"), 5s);
    EXPECT_EQ(*parse_duration("2m30s"), 150s);
    EXPECT_EQ(*parse_duration("1.5h"), 90min);
    EXPECT_EQ(*parse_duration("300"), 300s);
    EXPECT_EQ(*parse_duration("0"), 0s);
}

TEST(UnitsTest, RefusesWhatIsNotADuration) {
    for (const auto* text : {"", "s", "-5s", "1m30", "5 parsecs", "99999999999w"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(UnitsTest, PrintsForPeople) {
    EXPECT_EQ(format_bytes(12), "12 B");
    EXPECT_EQ(format_bytes(363040), "355 KiB");
    EXPECT_EQ(format_bytes(2040109466), "1.9 GiB");
    EXPECT_EQ(format_duration(80ms), "80 ms");
    EXPECT_EQ(format_duration(1234ms), "1.2 s");
    EXPECT_EQ(format_duration(243s), "4m 3s");
    EXPECT_EQ(format_duration(2h), "2h");
    EXPECT_EQ(format_count(8030261248), "8.0B");
    EXPECT_EQ(format_count(134515008), "135M");
    EXPECT_EQ(format_count(999999), "1.0M");
}

}  // namespace
}  // namespace routerd
