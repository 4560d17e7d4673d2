#include "daemon/proxy/tail_tap.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(TailTapTest, ReadsFiguresFromTheEndHoweverTheyCame) {
    const std::string end =
        R"(data: {"choices":[],"usage":{"completion_tokens":12,"prompt_tokens":5},"timings":{"predicted_per_second": 90.25}})";
    for (const std::size_t piece : {1U, 7U, 1000U, 100'000U}) {
        TailTap tap;
        const std::string text = std::string(5000, 'x') + end;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            const auto next = std::string_view(text).substr(at, piece);
            at + piece >= text.size() ? tap.see_last(next) : tap.see(next);
        }
        EXPECT_EQ(tap.figures().tokens_per_second, 90.25) << piece;
        EXPECT_EQ(tap.figures().completion_tokens, 12U) << piece;
        EXPECT_EQ(tap.figures().prompt_tokens, 5U) << piece;
    }
}

TailTap::Figures figures_of(std::string_view text) {
    TailTap tap;
    tap.see(text);
    return tap.figures();
}

TEST(TailTapTest, AFigureInATextIsNone) {
    const auto found =
        figures_of(R"({"content":"{\"completion_tokens\":9}","usage":{"completion_tokens" : 3}})");
    EXPECT_EQ(found.completion_tokens, 3U);
    EXPECT_FALSE(figures_of(R"({"content":"\"completion_tokens\":9"})").completion_tokens);
}

TEST(TailTapTest, KnowsWhatOthersCallThem) {
    const auto anthropic = figures_of(R"({"usage":{"input_tokens":7,"output_tokens":8}})");
    EXPECT_EQ(anthropic.prompt_tokens, 7U);
    EXPECT_EQ(anthropic.completion_tokens, 8U);
    const auto cached = figures_of(R"({"timings":{"cache_n":44,"prompt_n":1,"predicted_n":2}})");
    EXPECT_EQ(cached.prompt_tokens, 45U) << "as usage counts them";
    const auto native = figures_of(R"({"timings":{"prompt_n":1,"predicted_n":2}})");
    EXPECT_EQ(native.prompt_tokens, 1U);
    EXPECT_EQ(native.completion_tokens, 2U);
    EXPECT_FALSE(figures_of(R"({"completion_tokens":"many","prompt_tokens":)").completion_tokens);
}

TEST(TailTapTest, TakesNothingThatCannotBeAFigure) {
    for (const std::string rate : {"nan", "inf", "-inf", "-1", "1e300", "1e999", "\"9\"", ""}) {
        EXPECT_FALSE(figures_of(R"({"predicted_per_second":)" + rate + "}").tokens_per_second)
            << rate;
    }
    for (const std::string count : {"-1", "9007199254740994", "18446744073709551616", "x"}) {
        EXPECT_FALSE(figures_of(R"({"completion_tokens":)" + count + "}").completion_tokens)
            << count;
    }
    EXPECT_EQ(figures_of(R"({"completion_tokens":5,"completion_tokens":-1})").completion_tokens,
              5U);
}

TEST(TailTapTest, FindsNothingInNothing) {
    EXPECT_FALSE(TailTap().figures().tokens_per_second);
}

}  // namespace
}  // namespace routerd
