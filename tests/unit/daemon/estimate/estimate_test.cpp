#include "daemon/estimate/estimate.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "common/base/units.hpp"
#include "daemon/estimate/cache.hpp"

namespace routerd {
namespace {

/// 4 layers of 512, 8 heads of 64, feed-forward of 2048, as llama-server was measured with.
gguf::Metadata small_model() {
    gguf::Metadata model;
    model.architecture = "llama";
    model.context_length = 4096;
    model.embedding_length = 512;
    model.block_count = 4;
    model.vocab_size = 2048;
    model.head_count = {8};
    model.head_count_kv = {8};
    model.feed_forward_length = {2048};
    model.layer_bytes = {8 * mib, 8 * mib, 8 * mib, 8 * mib};
    model.embedding_bytes = 2 * mib;
    model.output_bytes = 2 * mib;
    model.tensor_bytes = 36 * mib;
    return model;
}

gguf::Metadata gemma() {
    auto model = small_model();
    model.architecture = "gemma3";
    model.block_count = 6;
    model.context_length = 16384;
    model.sliding_window = 512;
    return model;
}

const DeviceBytes& host_of(const Estimate& estimate) {
    return estimate.find("host")->bytes;
}

double in_mib(std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(mib);
}

TEST(EstimateTest, AgreesWithWhatTheServerSaysOfASmallModel) {
    const auto estimate = estimate_memory(small_model(), {});
    const auto& host = host_of(estimate);
    EXPECT_EQ(host.weights, 36 * mib);
    EXPECT_EQ(estimate.mapped, 36 * mib);
    EXPECT_EQ(host.kv, 32 * mib);
    EXPECT_NEAR(in_mib(host.compute), 21.02, 0.1);
    EXPECT_EQ(host.output, 2048U * 4U);
    EXPECT_EQ(estimate.context_per_slot, 4096U);
    EXPECT_EQ(estimate.resident(), host.total());
}

struct CacheCase {
    const char* name;
    std::uint64_t context;
    std::uint64_t slots;
    bool unified;
    const char* type;
    double kv_mib;  // "KV buffer size"
};

class KvTest : public testing::TestWithParam<CacheCase> {};

TEST_P(KvTest, AgreesWithTheServer) {
    LaunchParameters launch;
    launch.context = GetParam().context;
    launch.slots = GetParam().slots;
    launch.unified = GetParam().unified;
    launch.key_type = launch.value_type = cache_type(GetParam().type).value();
    const auto estimate = estimate_memory(small_model(), launch);
    EXPECT_DOUBLE_EQ(in_mib(host_of(estimate).kv), GetParam().kv_mib);
}

INSTANTIATE_TEST_SUITE_P(Measured, KvTest,
                         testing::Values(CacheCase{"whole", 16384, 1, false, "f16", 128},
                                         CacheCase{"unset_is_for_each", 0, 4, false, "f16", 128},
                                         CacheCase{"unset_is_shared", 0, 4, true, "f16", 32},
                                         CacheCase{"rounded", 8000, 4, false, "f16", 64},
                                         CacheCase{"rounded_twice", 1000, 3, false, "f16", 12},
                                         CacheCase{"f32", 4096, 1, false, "f32", 64},
                                         CacheCase{"q8_0", 4096, 1, false, "q8_0", 17},
                                         CacheCase{"q4_0", 4096, 1, false, "q4_0", 9}),
                         [](const auto& param) { return param.param.name; });

TEST(EstimateTest, GroupedHeadsAndTheirLengthsDecideTheCache) {
    auto model = small_model();
    model.head_count = {16};
    model.head_count_kv = {2};
    model.key_length = 256;
    model.value_length = 256;
    EXPECT_EQ(host_of(estimate_memory(model, {})).kv, 32 * mib);
    model.head_count_kv = {2, 0, 2, 2};  // one layer without attention
    EXPECT_EQ(host_of(estimate_memory(model, {})).kv, 24 * mib);
    model.head_count_kv = {2};
    model.shared_kv_layers = 2;
    EXPECT_EQ(host_of(estimate_memory(model, {})).kv, 16 * mib);
    model.shared_kv_layers = 0;
    model.key_length_mla = 192;  // keys alone
    EXPECT_EQ(host_of(estimate_memory(model, {})).kv, 16 * mib);
}

TEST(EstimateTest, LayersThatSlideKeepTheirWindow) {
    LaunchParameters launch;
    EXPECT_EQ(host_of(estimate_memory(gemma(), launch)).kv, (32 + 10) * mib);
    EXPECT_NEAR(in_mib(host_of(estimate_memory(gemma(), launch)).compute), 34.03, 0.1);
    launch.slots = 4;
    EXPECT_EQ(host_of(estimate_memory(gemma(), launch)).kv, (128 + 40) * mib);
    launch.unified = true;
    EXPECT_EQ(host_of(estimate_memory(gemma(), launch)).kv, (32 + 25) * mib);
    launch = {};
    launch.sliding_full = true;
    EXPECT_EQ(host_of(estimate_memory(gemma(), launch)).kv, (32 + 160) * mib);
    auto listed = gemma();
    listed.architecture = "new-one";
    EXPECT_EQ(host_of(estimate_memory(listed, {})).kv,
              192 * mib);  // whole: nobody says which slide
    listed.sliding_window_pattern = {1, 1, 1, 1, 1, 0};
    EXPECT_EQ(host_of(estimate_memory(listed, {})).kv, 42 * mib);
}

TEST(EstimateTest, RecurrentLayersKeepAState) {
    auto model = small_model();
    model.architecture = "mamba";
    model.head_count = {0};
    model.head_count_kv.clear();
    model.feed_forward_length = {0};
    model.ssm_conv_kernel = 4;
    model.ssm_inner_size = 1024;
    model.ssm_state_size = 16;
    LaunchParameters launch;
    launch.slots = 2;
    const auto estimate = estimate_memory(model, launch);
    EXPECT_EQ(host_of(estimate).kv, 0U);
    EXPECT_NEAR(in_mib(host_of(estimate).recurrent), 0.59, 0.01);
    EXPECT_NEAR(in_mib(host_of(estimate).compute), 15.16, 0.5);
    EXPECT_GT(estimate.growth.checkpoints, 0U);
}

TEST(EstimateTest, HybridsHaveBoth) {
    auto model = small_model();
    model.architecture = "qwen3next";
    model.full_attention_interval = 4;
    model.ssm_conv_kernel = 4;
    model.ssm_inner_size = 1024;
    model.ssm_state_size = 16;
    model.ssm_group_count = 2;
    const auto host = host_of(estimate_memory(model, {}));
    EXPECT_EQ(host.kv, 8 * mib);  // one of four
    EXPECT_EQ(host.recurrent, 3U * 4U * (3U * (1024U + 2U * 2U * 16U) + 16U * 1024U));
}

TEST(EstimateTest, WithoutFlashAttentionAllScoresAreThere) {
    LaunchParameters launch;
    launch.flash_attention = false;
    EXPECT_NEAR(in_mib(host_of(estimate_memory(small_model(), launch)).compute), 80, 2);
}

TEST(EstimateTest, ExpertsThatATokenUsesDecideTheComputeBuffer) {
    auto model = small_model();
    model.expert_count = 8;
    model.expert_used_count = 2;
    EXPECT_NEAR(in_mib(host_of(estimate_memory(model, {})).compute), 33.02, 0.1);
}

TEST(EstimateTest, RepackedWeightsAreACopyBesideTheFilesPages) {
    auto model = small_model();
    model.repacked.layers = {7 * mib, 7 * mib, 7 * mib, 7 * mib};
    model.repacked.output = 2 * mib;
    model.repacked.tail = 5 * mib;
    auto estimate = estimate_memory(model, {});
    EXPECT_EQ(host_of(estimate).weights, 36 * mib);
    EXPECT_EQ(estimate.mapped, 6 * mib);
    EXPECT_EQ(estimate.droppable, 25 * mib);
    LaunchParameters launch;
    launch.mapped = false;
    estimate = estimate_memory(model, launch);
    EXPECT_EQ(host_of(estimate).weights, 36 * mib);
    EXPECT_EQ(estimate.mapped + estimate.droppable, 0U);
    // An embedding that is the output, too, is there twice.
    model.output_bytes = 0;
    model.tensor_bytes = 34 * mib;
    estimate = estimate_memory(model, {});
    EXPECT_EQ(host_of(estimate).weights, 36 * mib);
    EXPECT_EQ(estimate.mapped, 6 * mib);
}

TEST(EstimateTest, WhereTheProcessorHasTilesTheirCopiesCount) {
    auto model = small_model();
    model.repacked.layers = {1 * mib};
    model.tiled = {{7 * mib, 7 * mib, 7 * mib, 7 * mib}, 2 * mib, 5 * mib, 3 * mib};
    LaunchParameters launch;
    launch.tiles = true;
    auto estimate = estimate_memory(model, launch);
    EXPECT_EQ(host_of(estimate).weights, 39 * mib);
    EXPECT_EQ(estimate.mapped, 6 * mib);
    EXPECT_EQ(estimate.droppable, 25 * mib);
    launch.repack = false;
    estimate = estimate_memory(model, launch);
    EXPECT_EQ(host_of(estimate).weights, 36 * mib);
    EXPECT_EQ(estimate.mapped, 36 * mib);
    launch.repack = true;
    launch.gpus = {{"cuda0", 1}};
    launch.gpu_layers = 3;  // the output, and two of four layers
    estimate = estimate_memory(model, launch);
    EXPECT_EQ(host_of(estimate).weights, estimate.mapped + 14 * mib + 3 * mib * 14 / 30);
}

TEST(EstimateTest, LayersGoToGpusFromTheEnd) {
    LaunchParameters launch;
    launch.gpus = {{"cuda0", 1}};
    auto estimate = estimate_memory(small_model(), launch);
    EXPECT_EQ(estimate.gpu_layers, 5U);
    EXPECT_EQ(estimate.find("cuda0")->bytes.weights, 34 * mib);
    EXPECT_EQ(estimate.find("cuda0")->bytes.kv, 32 * mib);
    EXPECT_EQ(host_of(estimate).weights, 2 * mib);  // the embedding stays
    EXPECT_EQ(host_of(estimate).kv, 0U);
    EXPECT_LT(host_of(estimate).compute, estimate.find("cuda0")->bytes.compute);

    launch.gpu_layers = 3;  // output and two layers
    launch.cache_with_layers = false;
    estimate = estimate_memory(small_model(), launch);
    EXPECT_EQ(estimate.find("cuda0")->bytes.weights, 18 * mib);
    EXPECT_EQ(host_of(estimate).weights, 18 * mib);
    EXPECT_EQ(host_of(estimate).kv, 32 * mib);

    launch.gpu_layers = 0;
    estimate = estimate_memory(small_model(), launch);
    EXPECT_EQ(estimate.find("cuda0")->bytes.weights, 0U);
    EXPECT_EQ(estimate.find("cuda0")->bytes.compute, 0U);
}

TEST(EstimateTest, SharesSplitLayersInOrder) {
    LaunchParameters launch;
    launch.gpus = {{"cuda0", 3}, {"cuda1", 2}};
    const auto estimate = estimate_memory(small_model(), launch);
    EXPECT_EQ(estimate.find("cuda0")->bytes.weights, 24 * mib);  // three of four and the output
    EXPECT_EQ(estimate.find("cuda1")->bytes.weights, 10 * mib);
    launch.gpus = {{"cuda0", 0}, {"cuda1", 0}};
    EXPECT_GT(estimate_memory(small_model(), launch).find("cuda1")->bytes.weights, 0U);
}

TEST(EstimateTest, ExpertsMayStayOnTheHost) {
    auto model = small_model();
    model.layer_expert_bytes = {6 * mib, 6 * mib, 6 * mib, 6 * mib};
    LaunchParameters launch;
    launch.gpus = {{"cuda0", 1}};
    launch.host_expert_layers = 3;
    const auto estimate = estimate_memory(model, launch);
    EXPECT_EQ(estimate.find("cuda0")->bytes.weights, 16 * mib);
    EXPECT_EQ(host_of(estimate).weights, 20 * mib);
}

TEST(EstimateTest, ProjectorsAndAdaptersCount) {
    gguf::Metadata mmproj;
    mmproj.tensor_bytes = 100 * mib;
    mmproj.vision_image_size = 224;
    mmproj.vision_patch_size = 14;
    mmproj.vision_embedding_length = 1024;
    mmproj.vision_feed_forward_length = 4096;
    mmproj.vision_head_count = 16;
    LaunchParameters launch;
    launch.lora_bytes = 8 * mib;
    const auto estimate = estimate_memory(small_model(), launch, &mmproj);
    EXPECT_GT(host_of(estimate).mmproj, 100 * mib);
    EXPECT_EQ(host_of(estimate).lora, 8 * mib);
}

TEST(EstimateTest, NothingAFileSaysBreaksIt) {
    constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
    auto model = small_model();
    model.block_count = model.embedding_length = model.context_length = model.vocab_size = huge;
    model.head_count = model.head_count_kv = model.feed_forward_length = {huge};
    model.sliding_window_pattern = {0};
    model.sliding_window = model.expert_used_count = model.key_length = huge;
    LaunchParameters launch;
    launch.slots = huge;
    EXPECT_EQ(estimate_memory(model, launch).total(), huge);
    launch.slots = 0;
    EXPECT_GT(estimate_memory(model, launch).total(), 0U);
    EXPECT_GT(estimate_memory({}, {}).total(), 0U);
    gguf::Metadata odd;
    odd.block_count = 2;
    odd.full_attention_interval = 1;
    odd.shortconv_l_cache = 1;
    EXPECT_EQ(host_of(estimate_memory(odd, {})).recurrent, 0U);
}

}  // namespace
}  // namespace routerd
