#include "daemon/gguf/json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace routerd::gguf {
namespace {

TEST(GgufJsonTest, ReadsBackWhatItWrote) {
    Metadata metadata;
    metadata.version = 3;
    metadata.architecture = "qwen3";
    metadata.parameters = 8'000'000'000;
    metadata.head_count_kv = {4, 1};
    metadata.thinking = true;
    metadata.pooling_type = 0;
    metadata.split_count = 2;
    const auto json = to_json(metadata);
    EXPECT_FALSE(json.contains("sliding_window"));
    const auto again = from_json(json.dump());
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), json);
    EXPECT_EQ(again->pooling_type, 0U);
}

TEST(GgufJsonTest, RefusesWhatIsNoMetadata) {
    EXPECT_FALSE(from_json("{"));
    EXPECT_FALSE(from_json("[]"));
    EXPECT_FALSE(from_json(R"({"parameters":"many"})"));
}

}  // namespace
}  // namespace routerd::gguf
