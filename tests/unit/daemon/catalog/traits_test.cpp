#include "daemon/catalog/traits.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(TraitsTest, FindsTheQuantizationInAName) {
    EXPECT_EQ(quantization_in("qwen3-8b-Q4_K_M"), "Q4_K_M");
    EXPECT_EQ(quantization_in("model_q4_k_m"), "q4_k_m");
    EXPECT_EQ(quantization_in("Qwen3-30B-A3B-UD-Q4_K_XL"), "UD-Q4_K_XL");
    EXPECT_EQ(quantization_in("gemma.f16"), "f16");
    EXPECT_EQ(quantization_in("gpt-oss-20b-mxfp4"), "mxfp4");
    EXPECT_EQ(quantization_in("llama-IQ2_XS"), "IQ2_XS");
    EXPECT_EQ(quantization_in("qwen2-7b"), "");
    EXPECT_EQ(quantization_in(""), "");
}

TEST(TraitsTest, FindsTheNumberOfParametersInAName) {
    EXPECT_EQ(parameters_in("qwen3-8b-q4"), 8'000'000'000U);
    EXPECT_EQ(parameters_in("Llama3.2-1B-Instruct"), 1'000'000'000U);
    EXPECT_EQ(parameters_in("mixtral-8x7b"), 56'000'000'000U);
    EXPECT_EQ(parameters_in("smollm2-135M"), 135'000'000U);
    EXPECT_EQ(parameters_in("qwen2.5-1.5b"), 1'500'000'000U);
    EXPECT_EQ(parameters_in("v2-4bit"), 0U);
    EXPECT_EQ(parameters_in("stories260K"), 0U);
    EXPECT_EQ(parameters_in("x-7"), 0U);
}

TEST(TraitsTest, TellsThinkingByTheTemplateAndOnlyThenByTheName) {
    gguf::Metadata metadata;
    EXPECT_TRUE(thinking_of(metadata, "DeepSeek-R1-Distill-Qwen-7B"));
    EXPECT_TRUE(thinking_of(metadata, "qwq-32b"));
    EXPECT_FALSE(thinking_of(metadata, "thinker-r11"));
    metadata.chat_template_bytes = 10;
    EXPECT_FALSE(thinking_of(metadata, "DeepSeek-R1-Distill-Qwen-7B"));
    metadata.thinking = true;
    EXPECT_TRUE(thinking_of(metadata, "plain"));
}

struct TierCase {
    const char* name;
    std::uint64_t millions;
    const char* quantization;
    bool thinking;
    Tier tier;
};

class TierTest : public testing::TestWithParam<TierCase> {};

TEST_P(TierTest, FollowsTheRule) {
    const auto& row = GetParam();
    EXPECT_EQ(tier_of(row.millions * 1'000'000, row.quantization, row.thinking, TiersConfig{}),
              row.tier);
}

INSTANTIATE_TEST_SUITE_P(
    Rule, TierTest,
    testing::Values(TierCase{"small_coarse", 3000, "Q4_K_M", false, Tier::fast},
                    TierCase{"small_two_bits", 3000, "IQ2_XS", false, Tier::fast},
                    TierCase{"small_fine", 3000, "Q8_0", false, Tier::balanced},
                    TierCase{"small_one_bit", 3000, "IQ1_S", false, Tier::balanced},
                    TierCase{"small_thinking", 3000, "Q4_0", true, Tier::powerful},
                    TierCase{"middle", 8000, "Q4_K_M", false, Tier::balanced},
                    TierCase{"at_fast_limit", 7000, "Q4_K_M", false, Tier::balanced},
                    TierCase{"at_powerful_limit", 14000, "Q4_K_M", false, Tier::powerful},
                    TierCase{"unknown_quantization", 3000, "", false, Tier::balanced},
                    TierCase{"dynamic", 3000, "UD-Q4_K_XL", false, Tier::fast}),
    [](const auto& param) { return param.param.name; });

TEST(TraitsTest, TellsCapabilities) {
    gguf::Metadata chat;
    chat.architecture = "qwen3";
    chat.tools = true;
    const auto can_chat = capabilities_of(chat, true, true);
    EXPECT_TRUE(can_chat.completion && can_chat.tools && can_chat.vision && can_chat.thinking);
    EXPECT_FALSE(can_chat.embedding || can_chat.rerank);

    gguf::Metadata bert;
    bert.architecture = "nomic-bert";
    EXPECT_TRUE(capabilities_of(bert, false, false).embedding);
    EXPECT_FALSE(capabilities_of(bert, false, false).completion);

    chat.pooling_type = 3;
    EXPECT_TRUE(capabilities_of(chat, false, false).embedding);
    chat.pooling_type = 4;
    EXPECT_TRUE(capabilities_of(chat, false, false).rerank);
    EXPECT_FALSE(capabilities_of(chat, false, false).embedding);
}

}  // namespace
}  // namespace routerd
