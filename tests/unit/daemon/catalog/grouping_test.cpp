#include "daemon/catalog/grouping.hpp"

#include <gtest/gtest.h>

#include "daemon/catalog/projectors.hpp"

namespace routerd {
namespace {

ReadFile file_of(const std::string& path, gguf::Metadata metadata) {
    ReadFile read;
    read.file.path = path;
    read.file.stamp.size = 100;
    read.header.state = Header::State::good;
    read.header.metadata = std::make_shared<const gguf::Metadata>(std::move(metadata));
    return read;
}

gguf::Metadata chat(std::uint64_t parameters = 1000) {
    gguf::Metadata metadata;
    metadata.architecture = "llama";
    metadata.parameters = parameters;
    metadata.embedding_length = 64;
    return metadata;
}

gguf::Metadata part(std::uint16_t number, std::uint16_t count) {
    auto metadata = chat();
    metadata.split_no = number;
    metadata.split_count = count;
    return metadata;
}

gguf::Metadata projector(std::uint64_t width = 0) {
    gguf::Metadata metadata;
    metadata.architecture = "clip";
    metadata.type = "mmproj";
    metadata.has_vision_encoder = true;
    metadata.projection_dim = width;
    return metadata;
}

TEST(GroupingTest, MakesOneModelOfASplitSet) {
    const auto found = group_files({file_of("/m/a-00002-of-00002.gguf", part(1, 2)),
                                    file_of("/m/a-00001-of-00002.gguf", part(0, 2))});
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_TRUE(found.broken.empty());
    EXPECT_EQ(found.models[0].stem, "a");
    EXPECT_EQ(found.models[0].files.front(), "/m/a-00001-of-00002.gguf");
    EXPECT_EQ(found.models[0].size_bytes, 200U);
    EXPECT_EQ(found.models[0].metadata->parameters, 2000U);
}

TEST(GroupingTest, OffersNoSetThatIsNotWhole) {
    const auto missing = group_files({file_of("/m/a-00001-of-00003.gguf", part(0, 3)),
                                      file_of("/m/a-00003-of-00003.gguf", part(2, 3))});
    EXPECT_TRUE(missing.models.empty());
    ASSERT_EQ(missing.broken.size(), 1U);
    EXPECT_NE(missing.broken[0].reason.find("part 2 of 3 is missing"), std::string::npos);

    const auto liar = group_files({file_of("/m/a-00001-of-00002.gguf", part(0, 2)),
                                   file_of("/m/a-00002-of-00002.gguf", part(0, 2))});
    EXPECT_TRUE(liar.models.empty());
    const auto alone = group_files({file_of("/m/a.gguf", part(0, 2))});
    EXPECT_TRUE(alone.models.empty());
    EXPECT_EQ(alone.broken.size(), 1U);
}

TEST(GroupingTest, LeavesOutAdaptersAndListsBrokenFiles) {
    auto adapter = chat();
    adapter.type = "adapter";
    ReadFile bad;
    bad.file.path = "/m/bad.gguf";
    bad.header.state = Header::State::bad;
    bad.header.reason = "it is not a GGUF file";
    const auto found = group_files({file_of("/m/lora.gguf", adapter), bad});
    EXPECT_TRUE(found.models.empty());
    ASSERT_EQ(found.broken.size(), 1U);
    EXPECT_EQ(found.broken[0].path, "/m/bad.gguf");
    EXPECT_FALSE(found.unsettled);
}

TEST(GroupingTest, IsUnsettledWhileAFileIsWritten) {
    ReadFile writing;
    writing.file.path = "/m/a.gguf";
    writing.header.state = Header::State::writing;
    EXPECT_TRUE(group_files({writing}).unsettled);
}

std::string mmproj_of(const Found& found, const std::string& path) {
    for (const auto& model : found.models) {
        if (model.files.front() == path) {
            return model.mmproj;
        }
    }
    return "no such model";
}

TEST(GroupingTest, PairsProjectorsByName) {
    const auto found = group_files({
        file_of("/m/gemma-3-4b-it-Q4_K_M.gguf", chat()),
        file_of("/m/qwen2-vl-7b-Q4_K_M.gguf", chat()),
        file_of("/m/llama-8b-Q4_K_M.gguf", chat()),
        file_of("/m/mmproj-gemma-3-4b-it-f16.gguf", projector()),
        file_of("/m/qwen2-vl-7b-mmproj-Q8_0.gguf", projector()),
    });
    EXPECT_EQ(found.models.size(), 3U);
    EXPECT_EQ(mmproj_of(found, "/m/gemma-3-4b-it-Q4_K_M.gguf"), "/m/mmproj-gemma-3-4b-it-f16.gguf");
    EXPECT_EQ(mmproj_of(found, "/m/qwen2-vl-7b-Q4_K_M.gguf"), "/m/qwen2-vl-7b-mmproj-Q8_0.gguf");
    EXPECT_EQ(mmproj_of(found, "/m/llama-8b-Q4_K_M.gguf"), "");
    for (const auto& model : found.models) {
        EXPECT_EQ(model.projector != nullptr, !model.mmproj.empty()) << "its memory is not known";
    }
}

TEST(GroupingTest, PairsANamelessProjectorWithTheOnlyModelOfItsFolder) {
    const auto found = group_files({
        file_of("/v/gemma-Q4_K_M.gguf", chat()),
        file_of("/v/gemma-Q8_0.gguf", chat()),
        file_of("/v/mmproj-F16.gguf", projector(64)),
        file_of("/w/other-Q8_0.gguf", chat()),
    });
    EXPECT_EQ(mmproj_of(found, "/v/gemma-Q4_K_M.gguf"), "/v/mmproj-F16.gguf");
    EXPECT_EQ(mmproj_of(found, "/v/gemma-Q8_0.gguf"), "/v/mmproj-F16.gguf");
    EXPECT_EQ(mmproj_of(found, "/w/other-Q8_0.gguf"), "");
}

TEST(GroupingTest, GivesNoProjectorOfAnotherWidth) {
    const auto found = group_files(
        {file_of("/v/gemma-Q4_K_M.gguf", chat()), file_of("/v/mmproj-F16.gguf", projector(128))});
    EXPECT_EQ(mmproj_of(found, "/v/gemma-Q4_K_M.gguf"), "");
}

TEST(GroupingTest, NamesFamilies) {
    EXPECT_EQ(family_name("gemma-3-4b-it-Q4_K_M"), "gemma-3-4b-it");
    EXPECT_EQ(family_name("mmproj-gemma-3-4b-it-f16"), "gemma-3-4b-it");
    EXPECT_EQ(family_name("mmproj-BF16"), "");
    EXPECT_EQ(family_name("mmproj"), "");
}

}  // namespace
}  // namespace routerd
