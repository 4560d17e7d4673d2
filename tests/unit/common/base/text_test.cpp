#include "common/base/text.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(TextTest, EscapesWhatATerminalWouldObey) {
    EXPECT_EQ(escaped("plain, ünïcode ✓"), "plain, ünïcode ✓");
    EXPECT_EQ(escaped("a\r\nb\x1b[31m"), "a\\x0D\\x0Ab\\x1B[31m");
    EXPECT_EQ(escaped("\x7f"), "\\x7F");
    EXPECT_EQ(escaped("\xc2\x9b"), "\\x9B");
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\u{202E}");
    EXPECT_EQ(escaped("\xff\xc0\xaf"), "\\xFF\\xC0\\xAF");
}

TEST(TextTest, FindsTheNearestWord) {
    EXPECT_EQ(nearest("lisen", {"listen", "workers"}), "listen");
    EXPECT_EQ(nearest("fxo", {"fox", "hen"}), "fox");
    EXPECT_EQ(nearest("qwen3-8", {"llama", "qwen3-8b"}), "qwen3-8b");
    EXPECT_EQ(nearest("zzzzzz", {"listen", "workers"}), "");
    EXPECT_EQ(nearest("fox", {"foxglove"}), "");
    const std::string long_word(129, 'x');
    EXPECT_EQ(nearest(long_word, {long_word}), "");
}

TEST(TextTest, SplitsWordsAsAShellDoes) {
    const std::vector<std::string> words{"-c", "4096", "a b", "it's", ""};
    EXPECT_EQ(shell_split(R"(-c 4096  'a b' "it's" '')"), words);
    for (const auto& word : words) {
        EXPECT_EQ(shell_split(shell_quote(word)), std::vector<std::string>{word});
    }
}

TEST(TextTest, MakesTextValidUtf8) {
    EXPECT_EQ(valid_utf8("Gemma é 漢"), "Gemma é 漢");
    EXPECT_EQ(valid_utf8("a\xFF\xC0\xAFz"), "a\uFFFD\uFFFD\uFFFDz");
    EXPECT_EQ(valid_utf8("cut \xE6\xBC"), "cut \uFFFD\uFFFD");
}

TEST(TextTest, SplitsAndJoins) {
    EXPECT_EQ(split("a,,b", ',').size(), 3U);
    EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
    EXPECT_EQ(trim("  x y\t\n"), "x y");
    EXPECT_TRUE(iequals("Content-Length", "content-length"));
    EXPECT_FALSE(iequals("a", "ab"));
}

}  // namespace
}  // namespace routerd
