#include "daemon/gguf/weights.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/gguf/json.hpp"
#include "daemon/gguf/reader.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::gguf {
namespace {

using Layers = std::vector<std::uint64_t>;
constexpr std::uint32_t q4_0 = 2;

Metadata read(const test::GgufWriter& writer) {
    const test::TempDir folder;
    return read_file(folder.write("x.gguf", writer.file())).value();
}

TEST(GgufWeightsTest, SortsBytesByWhatTheyAreFor) {
    test::GgufWriter writer;
    writer.text("general.architecture", "llama");
    writer.tensor("token_embd.weight", {64, 4}).tensor("output_norm.weight", {64});
    writer.tensor("blk.0.attn_q.weight", {64, 64});
    writer.tensor("blk.2.ffn_up_exps.weight", {64, 32, 2}).tensor("blk.2.attn_norm.weight", {64});
    writer.tensor("output.weight", {64, 4});
    const auto metadata = read(writer);
    EXPECT_EQ(metadata.embedding_bytes, 1024U);
    EXPECT_EQ(metadata.output_bytes, 1024U);
    EXPECT_EQ(metadata.layer_bytes, (Layers{16384, 0, 16384 + 256}));
    EXPECT_EQ(metadata.layer_expert_bytes, (Layers{0, 0, 16384}));
    EXPECT_TRUE(metadata.repacked.layers.empty());
    EXPECT_EQ(metadata.tensor_bytes, 1024U + 256U + 16384U + 16384U + 256U + 1024U);
}

TEST(GgufWeightsTest, KnowsWhatTheCpuCopiesIntoAnotherOrder) {
    test::GgufWriter writer;
    writer.text("general.architecture", "llama");
    writer.tensor("token_embd.weight", {64, 8}, q4_0, 36 * 8);
    writer.tensor("blk.0.attn_q.weight", {64, 8}, q4_0, 36 * 8);
    writer.tensor("blk.0.attn_k.weight", {64, 4}, q4_0, 36 * 4);  // not a group of eight rows
    writer.tensor("blk.0.ffn_down.weight", {64, 16}, q4_0, 36 * 16);
    const auto metadata = read(writer);
    EXPECT_EQ(metadata.repacked.layers, Layers{36 * 24});
    EXPECT_EQ(metadata.repacked.tail, 36U * 16U);
    EXPECT_EQ(metadata.repacked.output, 36U * 8U);  // the embedding, as output
}

TEST(GgufWeightsTest, KnowsWhatTheCpuCopiesIntoTiles) {
    constexpr std::uint32_t f16 = 1;
    constexpr std::uint32_t q8_0 = 8;
    test::GgufWriter writer;
    writer.text("general.architecture", "llama");
    writer.tensor("token_embd.weight", {64, 64}, q8_0, 68 * 64);
    writer.tensor("blk.0.attn_norm.weight", {64}, f16, 128);
    writer.tensor("blk.0.attn_q.weight", {64, 32}, f16, 128 * 32);
    writer.tensor("blk.0.attn_k.weight", {64, 8}, q4_0, 36 * 8);  // too few rows: for vectors
    writer.tensor("blk.0.ffn_up_exps.weight", {64, 32, 2}, q8_0, 68 * 64);
    writer.tensor("blk.1.ssm_conv1d.weight", {4, 32}, f16, 8 * 32);
    writer.tensor("blk.1.ffn_down.weight", {64, 32}, q8_0, 68 * 32);
    writer.tensor("blk.1.ffn_up.weight", {64, 48}, f16, 128 * 48);  // not a multiple of 32 rows
    writer.tensor("blk.1.ffn_gate.weight", {64, 96}, q8_0, 68 * 96);
    const auto metadata = read(writer);
    EXPECT_EQ(metadata.tiled.layers, (Layers{128 * 32 + 36 * 8, 68 * (32 + 96)}));
    EXPECT_EQ(metadata.tiled.tail, 68U * 96U);
    EXPECT_EQ(metadata.tiled.output, 68U * 64U);            // the embedding, as output
    EXPECT_EQ(metadata.tiled.extra, 8U * (32 + 96 + 64U));  // of each block of Q8_0 four bytes
    EXPECT_EQ(metadata.repacked.layers, Layers{36 * 8});
    EXPECT_EQ(metadata.repacked.extra, 0U);
}

TEST(GgufWeightsTest, ForeignLayerNumbersCostNothing) {
    test::GgufWriter writer;
    writer.text("general.architecture", "llama");
    writer.tensor("blk.99999999999999999999.x", {8}).tensor("blk.4000000.x", {8});
    writer.tensor("blk..x", {8}).tensor("blk.-1.x", {8}).tensor("blk.5", {8});
    EXPECT_TRUE(read(writer).layer_bytes.empty());
}

TEST(GgufWeightsTest, PartsOfASetAddUp) {
    Metadata whole;
    whole.layer_bytes = {10};
    whole.embedding_bytes = 5;
    whole.repacked.output = 5;  // the first part has no output.weight
    whole.tiled = {{3}, 5, 2, 1};
    Metadata part;
    part.layer_bytes = {1, 20};
    part.output_bytes = 7;
    part.tensor_bytes = 28;
    part.tiled = {{4, 20}, 7, 3, 2};
    add_part(whole, part);
    EXPECT_EQ(whole.layer_bytes, (Layers{11, 20}));
    EXPECT_EQ(whole.output_bytes, 7U);
    EXPECT_EQ(whole.repacked.output, 0U);
    EXPECT_EQ(whole.tiled.layers, (Layers{7, 20}));
    EXPECT_EQ(whole.tiled.output, 7U);
    EXPECT_EQ(whole.tiled.tail, 5U);
    EXPECT_EQ(whole.tiled.extra, 3U);
    EXPECT_EQ(whole.tensor_bytes, 28U);
}

TEST(GgufWeightsTest, ReadsTheShapesThatMemoryDependsOn) {
    auto writer = test::GgufWriter::model("qwen3next");
    writer.number("qwen3next.ssm.state_size", 128).number("qwen3next.ssm.inner_size", 4096);
    writer.number("qwen3next.full_attention_interval", 4);
    writer.numbers("qwen3next.feed_forward_length", {512, 1024});
    const auto metadata = read(writer);
    EXPECT_EQ(metadata.ssm_state_size, 128U);
    EXPECT_EQ(metadata.ssm_inner_size, 4096U);
    EXPECT_EQ(metadata.full_attention_interval, 4U);
    EXPECT_EQ(metadata.feed_forward_length, (Layers{512, 1024}));
    const auto again = from_json(to_json(metadata).dump());
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), to_json(metadata));
    EXPECT_EQ(again->layer_bytes, metadata.layer_bytes);
    EXPECT_EQ(again->full_attention_interval, 4U);
}

}  // namespace
}  // namespace routerd::gguf
