#include "daemon/catalog/file_name.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(FileNameTest, KnowsModelFiles) {
    EXPECT_TRUE(is_gguf_name("a.gguf"));
    EXPECT_TRUE(is_gguf_name("UPPER.GGUF"));
    EXPECT_FALSE(is_gguf_name(".gguf"));
    EXPECT_FALSE(is_gguf_name("._a.gguf"));
    EXPECT_FALSE(is_gguf_name("a.gguf.part"));
    EXPECT_TRUE(is_unfinished_name("a.gguf.part"));
    EXPECT_TRUE(is_unfinished_name("x.incomplete"));
    EXPECT_FALSE(is_unfinished_name("part.gguf"));
}

TEST(FileNameTest, ReadsTheNamesOfSplitSets) {
    const auto split = split_name("Qwen3-00002-of-00003.gguf");
    ASSERT_TRUE(split);
    EXPECT_EQ(split->stem, "Qwen3");
    EXPECT_EQ(split->number, 2U);
    EXPECT_EQ(split->count, 3U);
    EXPECT_EQ(sibling_name("Qwen3-00002-of-00003.gguf", 3), "Qwen3-00003-of-00003.gguf");
    for (const auto* name : {"a.gguf", "zero-00000-of-00000.gguf", "a-00004-of-00003.gguf",
                             "a-0001-of-00003.gguf", "-00001-of-00003.gguf"}) {
        EXPECT_FALSE(split_name(name)) << name;
    }
}

TEST(FileNameTest, ComparesNameAndMetadataOfAPart) {
    gguf::Metadata metadata;
    EXPECT_FALSE(part_mismatch("a.gguf", metadata));
    EXPECT_TRUE(part_mismatch("a-00001-of-00002.gguf", metadata));
    metadata.split_count = 2;
    EXPECT_FALSE(part_mismatch("a-00001-of-00002.gguf", metadata));
    EXPECT_TRUE(part_mismatch("a-00002-of-00002.gguf", metadata));
    EXPECT_TRUE(part_mismatch("a.gguf", metadata));
}

TEST(FileNameTest, MakesSlugs) {
    EXPECT_EQ(slug("Qwen3-8B-Q4_K_M"), "qwen3-8b-q4_k_m");
    EXPECT_EQ(slug("a  b\"c$(d)"), "a-b-c-d");
    EXPECT_EQ(slug("--x--"), "x");
    EXPECT_EQ(slug("..hidden."), "hidden");
    EXPECT_EQ(slug("new\nline\x1b[31m"), "new-line-31m");
    EXPECT_TRUE(slug("漢字").starts_with("model-"));
    EXPECT_NE(slug("漢字"), slug("漢"));
}

}  // namespace
}  // namespace routerd
