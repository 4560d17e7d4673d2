#include "daemon/backends/llama_server/launch.hpp"

#include <gtest/gtest.h>

namespace routerd::llama {
namespace {

TEST(LaunchTest, FillsInTheServersDefaults) {
    const auto launch = launch_parameters({"-m", "x.gguf"});
    EXPECT_EQ(launch.slots, 4U);
    EXPECT_TRUE(launch.unified);
    EXPECT_EQ(launch.context, 0U);
    EXPECT_EQ(launch.ubatch, 512U);
    EXPECT_EQ(launch.key_type, cache_type("f16"));
    EXPECT_TRUE(launch.mapped && launch.repack && launch.flash_attention);
    EXPECT_EQ(launch.gpu_layers, std::nullopt);
    EXPECT_EQ(launch.prompt_cache, 8ULL << 30U);
}

TEST(LaunchTest, ReadsWhatChangesMemory) {
    const auto launch =
        launch_parameters({"-np",  "2",   "-c",    "8192",       "-ctk",   "q8_0", "--cache-type-v",
                           "q4_0", "-b",  "256",   "-ub",        "1024",   "-fa",  "off",
                           "-ngl", "20",  "-nkvo", "--swa-full", "-ncmoe", "3",    "-lm",
                           "none", "-nr", "-cram", "16",         "-ctxcp", "0",    "--reranking"});
    EXPECT_EQ(launch.slots, 2U);
    EXPECT_FALSE(launch.unified);
    EXPECT_EQ(launch.context, 8192U);
    EXPECT_EQ(launch.key_type, cache_type("q8_0"));
    EXPECT_EQ(launch.value_type, cache_type("q4_0"));
    EXPECT_EQ(launch.ubatch, 256U);
    EXPECT_FALSE(launch.flash_attention || launch.cache_with_layers || launch.mapped ||
                 launch.repack);
    EXPECT_EQ(launch.gpu_layers, 20U);
    EXPECT_TRUE(launch.sliding_full && launch.all_outputs);
    EXPECT_EQ(launch.host_expert_layers, 3U);
    EXPECT_EQ(launch.prompt_cache, 16ULL << 20U);
    EXPECT_EQ(launch.checkpoints, 0U);
}

TEST(LaunchTest, TellsWhoPlacesTheModel) {
    const std::vector<std::string> by_settings{"-ngl", "20", "-dev", "CUDA1,cuda0"};
    EXPECT_EQ(launch_parameters(by_settings).placed, Placed::by_router);
    EXPECT_EQ(launch_parameters(by_settings).devices, (std::vector<std::string>{"cuda1", "cuda0"}));
    EXPECT_EQ(launch_parameters(by_settings, 2).placed, Placed::by_arguments);
    EXPECT_EQ(launch_parameters({"-dev", "none"}).devices, std::vector<std::string>());
    EXPECT_EQ(launch_parameters({"-ngl", "20", "-fa", "on"}, 2).placed, Placed::by_router);
    EXPECT_EQ(launch_parameters({"-sm", "row"}, 2).placed, Placed::unreadable);
    EXPECT_EQ(launch_parameters({"-ts", "3,1"}, 2).placed, Placed::unreadable);
    EXPECT_TRUE(places_models("CUDA_VISIBLE_DEVICES"));
    EXPECT_FALSE(places_models("CUDA_DEVICE_ORDER"));
}

TEST(LaunchTest, TakesTheLastOfTwoAndPassesOverNonsense) {
    const auto launch = launch_parameters({"-c", "1024", "--ctx-size", "4096", "-np", "x", "-kvu",
                                           "-no-kvu", "-ngl", "auto", "-ctk", "q9_9", "-ub"});
    EXPECT_EQ(launch.context, 4096U);
    EXPECT_EQ(launch.slots, 4U);
    EXPECT_FALSE(launch.unified);
    EXPECT_EQ(launch.gpu_layers, std::nullopt);
    EXPECT_EQ(launch.key_type, cache_type("f16"));
}

}  // namespace
}  // namespace routerd::llama
