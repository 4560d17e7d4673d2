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
            tap.see(std::string_view(text).substr(at, piece));
        }
        EXPECT_EQ(tap.figures().tokens_per_second, 90.25) << piece;
        EXPECT_EQ(tap.figures().completion_tokens, 12U) << piece;
    }
}

TEST(TailTapTest, FindsNothingInNothing) {
    EXPECT_FALSE(TailTap().figures().tokens_per_second);
}

}  // namespace
}  // namespace routerd
