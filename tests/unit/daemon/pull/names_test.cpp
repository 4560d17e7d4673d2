#include "daemon/pull/names.hpp"

#include <gtest/gtest.h>

#include "daemon/pull/glob.hpp"

namespace routerd::pull {
namespace {

TEST(NamesTest, TakesWhatRepositoriesHave) {
    for (const auto* path :
         {"a.gguf", "Q4_K_M/qwen3-Q4_K_M-00001-of-00002.gguf", "model (1).gguf", "modèle.gguf",
          "a%20b.gguf", "100%.gguf", "a..b.gguf", "a~b/c=d+e@f.gguf"}) {
        EXPECT_EQ(checked_path(path).value(), path);
    }
}

TEST(NamesTest, RefusesWhatLeadsElsewhere) {
    using namespace std::string_view_literals;
    for (const auto path : {""sv,
                            "/x"sv,
                            "../x"sv,
                            "a/../x"sv,
                            "a/.."sv,
                            "."sv,
                            "a/./x"sv,
                            "a//x"sv,
                            "a/"sv,
                            "~/x"sv,
                            "~root"sv,
                            "C:\\x"sv,
                            "C:x"sv,
                            "a\\b"sv,
                            "a\0b"sv,
                            "a\nb"sv,
                            "\x1b[31m"sv,
                            "a\x7f"sv,
                            "\xff"sv,
                            "\xc0\xae"sv,
                            "\xe2\x80\xae"
                            "fugg.x"sv,
                            "a."sv,
                            "a "sv,
                            "a./b"sv,
                            ".hidden"sv,
                            "a/.git/config"sv,
                            "%2e%2e%2fx"sv,
                            "%2E%2E/x"sv,
                            "a/%2e%2e/x"sv,
                            "%252e%252e%252fx"sv,
                            "%2fetc"sv,
                            "a%00b"sv,
                            "a%5cb"sv,
                            "%2525252565"sv,
                            "a%0ab"sv,
                            "%7e/x"sv}) {
        EXPECT_FALSE(checked_path(path)) << path;
    }
    EXPECT_TRUE(checked_path(std::string(255, 'a')));
    EXPECT_FALSE(checked_path(std::string(256, 'a')));
    std::string deep = "a";
    for (int i = 0; i < 600; ++i) {
        deep += "/a";
    }
    EXPECT_FALSE(checked_path(deep));
}

TEST(NamesTest, ANameHasNoFolders) {
    EXPECT_TRUE(checked_name("a.gguf"));
    EXPECT_FALSE(checked_name("a/b.gguf"));
    EXPECT_FALSE(checked_name("a%2fb.gguf"));
}

TEST(NamesTest, TakesTheNameOfAUrlFromItsPath) {
    EXPECT_EQ(name_in_url("https://h/a/b%20c.GGUF?x=/d.gguf#e").value(), "b c.GGUF");
    for (const auto* url :
         {"https://h", "https://h/", "https://x.gguf", "https://h/x.bin", "https://h/.gguf",
          "https://h/..%2fx.gguf", "https://h/%2e%2e%2fx.gguf", "https://h/a%00.gguf",
          "https://h/%252e%252e%252fx.gguf", "https://h/?x=a.gguf", "https://h/~x.gguf"}) {
        EXPECT_FALSE(name_in_url(url)) << url;
    }
}

TEST(NamesTest, EncodesAndDecodes) {
    EXPECT_EQ(percent_encoded_path("a b/ü#?%.gguf"), "a%20b/%C3%BC%23%3F%25.gguf");
    EXPECT_EQ(percent_encoded("refs/pr/3"), "refs%2Fpr%2F3");
    EXPECT_EQ(percent_decoded("%41%4a%zz%4"), "AJ%zz%4");
}

TEST(GlobTest, MatchesAllOfAName) {
    EXPECT_TRUE(glob_matches("*.gguf", "a/b.gguf"));
    EXPECT_TRUE(glob_matches("Q4*/*-0000?-of-*", "Q4_K_M/x-00001-of-00002.gguf"));
    EXPECT_TRUE(glob_matches("a[bc]d[!e-g]", "acdh"));
    EXPECT_TRUE(glob_matches("[]]", "]"));
    EXPECT_TRUE(glob_matches("a[b", "a[b"));
    EXPECT_TRUE(glob_matches("*", ""));
    EXPECT_FALSE(glob_matches("", "a"));
    EXPECT_FALSE(glob_matches("a[bc]d[!e-g]", "acdf"));
    EXPECT_FALSE(glob_matches("*.gguf", "a.gguf.part"));
    EXPECT_FALSE(glob_matches("a?", "a"));
}

TEST(GlobTest, EndsSoonWhateverThePattern) {
    std::string pattern;
    for (int i = 0; i < 120; ++i) {
        pattern += "*a";
    }
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(1024, 'a')));
}

}  // namespace
}  // namespace routerd::pull
