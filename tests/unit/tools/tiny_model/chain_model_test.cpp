#include "tools/tiny_model/chain_model.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace routerd::tiny_model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string joined(const std::vector<std::string>& pieces) {
    std::string out;
    for (const auto& piece : pieces) {
        out += piece;
    }
    return out;
}

TEST(PiecesTest, AreTheWordsWithTheirSpaces) {
    EXPECT_THAT(cut_into_pieces("Hello brave world", false),
                ElementsAre("Hello", "▁brave", "▁world"));
    EXPECT_THAT(cut_into_pieces("Hello brave world", true),
                ElementsAre("▁Hello", "▁brave", "▁world"));
}

TEST(PiecesTest, AShortWordIsJoinedWithTheNext) {
    EXPECT_THAT(cut_into_pieces("I am a tiny model", false),
                ElementsAre("I▁am", "▁a▁tiny", "▁model"));
}

TEST(PiecesTest, AShortLastWordIsJoinedWithTheOneBefore) {
    EXPECT_THAT(cut_into_pieces("vitamin B", false), ElementsAre("vitamin▁B"));
}

TEST(PiecesTest, AreNeverTheSameTwice) {
    for (const auto* text : {"one one one one", "the cat and the dog and the cat", "aaa aaa a",
                             "x  y   z", "tick tock tick tock tick tock"}) {
        const auto pieces = cut_into_pieces(text, true);
        EXPECT_EQ(std::set<std::string>(pieces.begin(), pieces.end()).size(), pieces.size());
        EXPECT_EQ(joined(pieces), joined(cut_into_pieces(joined(pieces), false)));
    }
}

TEST(PiecesTest, CountCharactersAndNotBytes) {
    EXPECT_THAT(cut_into_pieces("öö", false), IsEmpty());
    EXPECT_THAT(cut_into_pieces("ööö", false), ElementsAre("ööö"));
}

struct Refused {
    const char* name;
    ChainOptions options;
    const char* reason;
};

class ChainModelRefusalTest : public testing::TestWithParam<Refused> {};

TEST_P(ChainModelRefusalTest, SaysWhatIsWrong) {
    const auto written = write_chain_model("/nonexistent/x.gguf", GetParam().options);
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message(), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Options, ChainModelRefusalTest,
    testing::Values(Refused{"NoText", {}, "3 characters"},
                    Refused{"ShortText", {.text = "ab"}, "3 characters"},
                    Refused{"ControlCharacter", {.text = "abc\x1b[0m"}, "control characters"},
                    Refused{"NotUtf8", {.text = "abc\xff"}, "UTF-8"},
                    Refused{"SmallDimension", {.text = "abc", .dim = 1}, "multiple of 32"},
                    Refused{"NoLayers", {.text = "abc", .layers = 0}, "at least 1"},
                    Refused{"NoFolder", {.text = "abc"}, "No such file"}),
    [](const auto& row) { return row.param.name; });

TEST(ChainModelTest, IsTheSameFileEveryTime) {
    const auto path = testing::TempDir() + "chain-" + std::to_string(::getpid()) + ".gguf";
    const auto first = write_chain_model(path, {.text = "the same again"});
    const auto second = write_chain_model(path, {.text = "the same again"});
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_EQ(*first, *second);
    EXPECT_EQ(*first, std::filesystem::file_size(path));
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace routerd::tiny_model
