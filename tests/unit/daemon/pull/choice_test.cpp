#include "daemon/pull/choice.hpp"

#include <initializer_list>

#include <gtest/gtest.h>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::pull {
namespace {

struct Sized {
    const char* path;
    std::uint64_t gib;
};

std::vector<RepositoryFile> repository(std::initializer_list<Sized> sized) {
    std::vector<RepositoryFile> files;
    for (const auto& [path, gibs] : sized) {
        files.push_back({path, gibs * gib, ""});
    }
    return files;
}

std::vector<RepositoryFile> usual() {
    return repository({{"README.md", 0},
                       {"imatrix.gguf", 1},
                       {"mmproj-F32.gguf", 2},
                       {"mmproj-BF16.gguf", 1},
                       {"mmproj-F16.gguf", 1},
                       {"qwen3-BF16.gguf", 16},
                       {"qwen3-IQ4_XS.gguf", 4},
                       {"qwen3-Q2_K.gguf", 2},
                       {"qwen3-Q3_K_M.gguf", 3},
                       {"qwen3-Q4_K_M.gguf", 5},
                       {"qwen3-Q8_0.gguf", 8},
                       {"qwen3-UD-Q4_K_XL.gguf", 6}});
}

/// Paths, and what a failure says.
std::string chosen(const Result<Choice>& choice) {
    if (!choice) {
        return "error: " + choice.error().message();
    }
    std::vector<std::string> paths;
    for (const auto& file : choice->files) {
        paths.push_back(file.path);
    }
    return join(paths, " ");
}

std::string chosen(const std::vector<RepositoryFile>& files, const std::string& tag) {
    Wanted wanted;
    wanted.tag = tag;
    return chosen(choose_files(files, wanted));
}

TEST(ChoiceTest, TakesTheUsualQuantizationWithItsProjector) {
    const auto choice = choose_files(usual(), {});
    EXPECT_EQ(chosen(choice), "qwen3-Q4_K_M.gguf mmproj-F16.gguf");
    EXPECT_EQ(choice->quantization, "Q4_K_M");
    EXPECT_EQ(choice->notes.at(0), "Q4_K_M (5.0 GiB) is taken: it is the usual choice");
    EXPECT_EQ(choice->notes.at(1), "its projector 'mmproj-F16.gguf' comes along");
}

TEST(ChoiceTest, TakesWhatFitsTheMemory) {
    Wanted wanted;
    wanted.budget = 4 * gib;
    const auto choice = choose_files(usual(), wanted);
    EXPECT_EQ(choice->quantization, "IQ4_XS");
    EXPECT_EQ(choice->notes.at(0),
              "IQ4_XS (4.0 GiB) is taken: it is the nearest to Q4_K_M that fits in the memory for "
              "models, 4.0 GiB");
    wanted.budget = 3 * gib;
    EXPECT_EQ(choose_files(usual(), wanted)->quantization, "Q3_K_M");
    wanted.budget = gib;
    const auto smallest = choose_files(usual(), wanted);
    EXPECT_EQ(smallest->quantization, "Q2_K");
    EXPECT_NE(smallest->notes.at(0).find("though none fits"), std::string::npos);
}

TEST(ChoiceTest, TakesWhatIsNearestWhereTheUsualIsNotThere) {
    EXPECT_EQ(
        chosen(repository({{"a-Q8_0.gguf", 8}, {"a-Q5_K_M.gguf", 5}, {"a-Q3_K_L.gguf", 3}}), ""),
        "a-Q5_K_M.gguf");
    EXPECT_EQ(chosen(repository({{"a-F16.gguf", 16}, {"a-Q8_0.gguf", 8}}), ""), "a-Q8_0.gguf");
    EXPECT_EQ(chosen(repository({{"gpt-oss-20b-mxfp4.gguf", 12}}), ""), "gpt-oss-20b-mxfp4.gguf");
    EXPECT_EQ(chosen(repository({{"stories.gguf", 1}}), "latest"), "stories.gguf");
}

TEST(ChoiceTest, TakesWhatIsAskedForInAnyCase) {
    EXPECT_EQ(chosen(usual(), "q8_0"), "qwen3-Q8_0.gguf mmproj-F16.gguf");
    EXPECT_EQ(chosen(usual(), "bf16"), "qwen3-BF16.gguf mmproj-F16.gguf");
    EXPECT_EQ(chosen(usual(), "ud-q4_k_xl"), "qwen3-UD-Q4_K_XL.gguf mmproj-F16.gguf");
    EXPECT_EQ(chosen(usual(), "Q4_K_XL"), "qwen3-UD-Q4_K_XL.gguf mmproj-F16.gguf");
    EXPECT_EQ(chosen(usual(), "qwen3-iq4_xs.gguf"), "qwen3-IQ4_XS.gguf mmproj-F16.gguf");
}

TEST(ChoiceTest, SaysWhatThereIsWhenItHasNotWhatIsAskedFor) {
    Wanted wanted;
    wanted.tag = "Q4_K_L";
    const auto choice = choose_files(usual(), wanted);
    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().code(), Errc::not_found);
    EXPECT_EQ(choice.error().message(), "it has no 'Q4_K_L'");
    EXPECT_EQ(
        choice.error().hint(),
        "did you mean Q4_K_M? there are BF16, IQ4_XS, Q2_K, Q3_K_M, Q4_K_M, Q8_0, UD-Q4_K_XL");
}

TEST(ChoiceTest, TakesAllPartsOfASplitSetInTheirOrder) {
    const auto files = repository({{"BF16/m-BF16-00002-of-00002.gguf", 9},
                                   {"BF16/m-BF16-00001-of-00002.gguf", 9},
                                   {"Q4_K_M/m-Q4_K_M-00001-of-00001.gguf", 5},
                                   {"mmproj-F16.gguf", 1}});
    EXPECT_EQ(chosen(files, "BF16"),
              "BF16/m-BF16-00001-of-00002.gguf BF16/m-BF16-00002-of-00002.gguf mmproj-F16.gguf");
    EXPECT_EQ(chosen(files, ""), "Q4_K_M/m-Q4_K_M-00001-of-00001.gguf mmproj-F16.gguf");
    Wanted wanted;
    wanted.file = "BF16/m-BF16-00002-of-00002.gguf";
    EXPECT_EQ(chosen(choose_files(files, wanted)), chosen(files, "BF16"));
}

TEST(ChoiceTest, RefusesASplitSetThatIsNotWhole) {
    const auto files = repository({{"m-Q4_K_M-00001-of-00003.gguf", 5},
                                   {"m-Q4_K_M-00003-of-00003.gguf", 5},
                                   {"m-Q8_0.gguf", 9}});
    EXPECT_EQ(chosen(files, "Q4_K_M"), "error: the split set 'm-Q4_K_M' of 3 parts lacks part 2");
    EXPECT_EQ(chosen(files, ""), "m-Q8_0.gguf");
    EXPECT_EQ(chosen(repository({{"m-00002-of-99999.gguf", 1}}), ""),
              "error: the split set 'm' of 99999 parts lacks part 1, 3, 4, 5, …");
}

TEST(ChoiceTest, TakesTheProjectorOfTheSameFamilyAndFolder) {
    const auto files = repository({{"gemma-3-4b-it-Q4_K_M.gguf", 3},
                                   {"gemma-3-12b-it-Q8_0.gguf", 12},
                                   {"mmproj-gemma-3-12b-it-f16.gguf", 1},
                                   {"mmproj-gemma-3-4b-it-q8_0.gguf", 1},
                                   {"other/mmproj-f16.gguf", 1}});
    EXPECT_EQ(chosen(files, "Q4_K_M"), "gemma-3-4b-it-Q4_K_M.gguf mmproj-gemma-3-4b-it-q8_0.gguf");
    EXPECT_EQ(chosen(files, "Q8_0"), "gemma-3-12b-it-Q8_0.gguf mmproj-gemma-3-12b-it-f16.gguf");
}

TEST(ChoiceTest, KnowsWhatIsNoModel) {
    EXPECT_EQ(chosen(repository({{"mmproj-F16.gguf", 1}, {"README.md", 1}}), ""),
              "error: it has no model in GGUF files");
    EXPECT_EQ(chosen(repository({{"m-mtp-Q4_K_M.gguf", 1}, {"m-Q8_0.gguf", 1}}), ""),
              "m-Q8_0.gguf");
    EXPECT_EQ(chosen(repository({{"m-imatrix-Q4_K_M.gguf", 1}, {"m.imatrix.gguf", 1}}), ""),
              "m-imatrix-Q4_K_M.gguf");
}

TEST(ChoiceTest, TellsOfOtherModelsInTheSameQuantization) {
    const auto choice =
        choose_files(repository({{"a-7b-Q4_K_M.gguf", 4}, {"a-1b-Q4_K_M.gguf", 1}}), {});
    EXPECT_EQ(chosen(choice), "a-1b-Q4_K_M.gguf");
    EXPECT_EQ(choice->notes.back(),
              "of 2 models in Q4_K_M this is 'a-1b-Q4_K_M'; --include chooses by name");
}

TEST(ChoiceTest, TakesExactlyWhatGlobsMatch) {
    Wanted wanted;
    wanted.include = {"*Q8_0*", "README*"};
    wanted.tag = "Q4_K_M";
    const auto choice = choose_files(usual(), wanted);
    EXPECT_EQ(chosen(choice), "qwen3-Q8_0.gguf README.md");
    EXPECT_EQ(choice->quantization, "Q8_0");
    wanted.include = {"*.safetensors"};
    EXPECT_EQ(chosen(choose_files(usual(), wanted)),
              "error: no file of it matches '*.safetensors'");
    wanted.include = {std::string(300, '*')};
    EXPECT_EQ(choose_files(usual(), wanted).error().code(), Errc::invalid_request);
}

TEST(ChoiceTest, TakesAFileByItsPath) {
    Wanted wanted;
    wanted.file = "mmproj-F16.gguf";
    EXPECT_EQ(chosen(choose_files(usual(), wanted)), "mmproj-F16.gguf");
    wanted.file = "nothing.gguf";
    EXPECT_EQ(chosen(choose_files(usual(), wanted)), "error: it has no file 'nothing.gguf'");
}

}  // namespace
}  // namespace routerd::pull
