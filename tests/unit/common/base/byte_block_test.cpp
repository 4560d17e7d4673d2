#include "common/base/byte_block.hpp"

#include <array>

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(ByteBlockTest, AnswersByABitForEachByte) {
    for (int value = 0; value < 256; ++value) {
        std::array<char, ByteBlock::size> bytes{};
        bytes.fill('x');
        bytes[3] = bytes[15] = static_cast<char>(value);
        const ByteBlock block(bytes.data());
        const std::uint32_t both = 1U << 3U | 1U << 15U;
        EXPECT_EQ(block.equal(static_cast<char>(value)), value == 'x' ? 0xFFFFU : both) << value;
        EXPECT_EQ(block.at_most(0x1F), value <= 0x1F ? both : 0U) << value;
        EXPECT_EQ(block.at_most(0xF0) | both, 0xFFFFU) << value;
        EXPECT_EQ(block.at_most(0xF0) & both, value <= 0xF0 ? both : 0U) << value;
    }
}

}  // namespace
}  // namespace routerd
