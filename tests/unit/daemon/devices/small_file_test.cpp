#include "daemon/devices/small_file.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

TEST(SmallFileTest, FindsNumbersWithTheirUnits) {
    const std::string text = "MemTotal:  24 kB\nMem: 1\nfile 7\nvram:\t3 MiB\nbad: x\nodd: 1 lb\n";
    EXPECT_EQ(number_field(text, "MemTotal"), 24U * 1024U);
    EXPECT_EQ(number_field(text, "Mem"), 1U);
    EXPECT_EQ(number_field(text, "file"), 7U);
    EXPECT_EQ(number_field(text, "vram"), 3U << 20U);
    EXPECT_EQ(number_field(text, "bad"), std::nullopt);
    EXPECT_EQ(number_field(text, "odd"), std::nullopt);
    EXPECT_EQ(number_field(text, "none"), std::nullopt);
    EXPECT_EQ(number_field("huge: 99999999999999999 GiB", "huge"), std::nullopt);
    EXPECT_EQ(number_field("huge: 99999999999999999999", "huge"), std::nullopt);
}

TEST(SmallFileTest, ReadsANumberOrSaysWhyNot) {
    const test::TempDir folder;
    const auto number = read_number_file(folder.write("a", "42\n"));
    ASSERT_TRUE(number);
    EXPECT_EQ(*number, 42U);
    EXPECT_EQ(read_number_file(folder.write("b", "max\n")).error().code(), Errc::unavailable);
    EXPECT_EQ(read_number_file(folder / "c").error().code(), Errc::not_found);
}

}  // namespace
}  // namespace routerd
