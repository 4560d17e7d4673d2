#include "daemon/gguf/types.hpp"

#include <gtest/gtest.h>

namespace routerd::gguf {
namespace {

TEST(GgufTypesTest, KnowsTheBlocksOfTensors) {
    ASSERT_NE(tensor_type(12), nullptr);
    EXPECT_EQ(tensor_type(12)->name, "Q4_K");
    EXPECT_EQ(tensor_type(12)->block, 256U);
    EXPECT_EQ(tensor_type(39)->name, "MXFP4");
    for (const std::uint32_t removed : {4U, 5U, 31U, 33U, 36U, 38U}) {
        EXPECT_EQ(tensor_type(removed), nullptr) << removed;
        EXPECT_FALSE(may_be_newer_tensor_type(removed)) << removed;
    }
    EXPECT_TRUE(may_be_newer_tensor_type(50));
    EXPECT_FALSE(may_be_newer_tensor_type(255));
}

TEST(GgufTypesTest, NamesFileTypes) {
    EXPECT_EQ(file_type_name(2), "Q4_0");
    EXPECT_EQ(file_type_name(15), "Q4_K_M");
    EXPECT_EQ(file_type_name(30), "IQ4_XS");
    EXPECT_EQ(file_type_name(32), "BF16");
    EXPECT_EQ(file_type_name(38), "MXFP4");
    EXPECT_EQ(file_type_name(1024), "");
}

TEST(GgufTypesTest, TellsTheBitsOfAQuantization) {
    EXPECT_EQ(quantization_bits("Q4_K_M"), 4U);
    EXPECT_EQ(quantization_bits("iq2_xs"), 2U);
    EXPECT_EQ(quantization_bits("TQ1_0"), 1U);
    EXPECT_EQ(quantization_bits("MXFP4"), 4U);
    EXPECT_EQ(quantization_bits("BF16"), 16U);
    EXPECT_EQ(quantization_bits("qwen"), std::nullopt);
    EXPECT_EQ(quantization_bits(""), std::nullopt);
}

}  // namespace
}  // namespace routerd::gguf
