#include "daemon/backends/llama_server/device_list.hpp"

#include <gtest/gtest.h>

namespace routerd::llama {
namespace {

TEST(DeviceListTest, ABuildForTheProcessorListsNone) {
    // What build 11669 prints.
    EXPECT_EQ(read_device_list("Available devices:\n  (none)\n"), GpuSupport());
}

TEST(DeviceListTest, KnowsTheKindsOfGpus) {
    const auto support = read_device_list(
        "ggml_cuda_init: found 2 CUDA devices:\n"
        "  Device 0: NVIDIA L40S, compute capability 8.9, VMM: yes\n"
        "Available devices:\n"
        "  CUDA0: NVIDIA L40S (45488 MiB, 44000 MiB free)\n"
        "  CUDA1: NVIDIA L40S (45488 MiB, 44000 MiB free)\n");
    ASSERT_TRUE(support);
    EXPECT_EQ(support->kinds, std::set{DeviceKind::nvidia});
    EXPECT_FALSE(support->has_others);
    const auto mixed = read_device_list(
        "Available devices:\n  ROCm0: AMD Radeon (16368 MiB, 16000 MiB free)\n"
        "  Vulkan0: AMD Radeon (16368 MiB, 16000 MiB free)\n");
    ASSERT_TRUE(mixed);
    EXPECT_EQ(mixed->kinds, std::set{DeviceKind::amd});
    EXPECT_TRUE(mixed->has_others);
}

TEST(DeviceListTest, AnotherAnswerIsNoList) {
    EXPECT_FALSE(read_device_list(""));
    EXPECT_FALSE(read_device_list("error: invalid argument: --list-devices\n"));
}

}  // namespace
}  // namespace routerd::llama
