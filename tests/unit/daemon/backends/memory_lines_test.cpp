#include "daemon/backends/llama_server/memory_lines.hpp"

#include <initializer_list>

#include <gtest/gtest.h>

#include "common/base/units.hpp"

namespace routerd::llama {
namespace {

std::vector<DeviceNeed> read(std::initializer_list<std::string_view> lines) {
    MemoryLines memory;
    for (const auto line : lines) {
        memory.add(line);
    }
    return memory.devices();
}

TEST(MemoryLinesTest, ReadsALoadOnTheCpu) {
    // Build 11669, --verbosity 4, as it came.
    const auto devices = read({
        "0.00.439.190 I srv    load_model: loading model 'big.gguf'",
        "0.00.572.727 I common_memory_breakdown_print: |   - Host               |     "
        "             357 =   258 +      64 +      35                |",
        "0.00.648.521 I print_info: file size   = 258.93 MiB (16.09 BPW) ",
        "0.02.068.824 I load_tensors:   CPU_Mapped model buffer size =   258.93 MiB",
        "0.02.119.255 I llama_context: constructing llama_context",
        "0.02.127.164 I llama_context:        CPU  output buffer size =     0.12 MiB",
        "0.02.127.294 I llama_kv_cache:        CPU KV buffer size =   128.00 MiB",
        "0.04.380.005 I llama_kv_cache: size =  128.00 MiB (  2048 cells,   8 layers,  2/2 seqs), "
        "K (f16):   64.00 MiB, V (f16):   64.00 MiB",
        "0.04.413.299 I sched_reserve:        CPU compute buffer size =    36.02 MiB",
        "0.04.413.301 I sched_reserve: graph: nodes = 273, splits = 1",
    });
    ASSERT_EQ(devices.size(), 1U);
    EXPECT_EQ(devices[0].device, "host");
    EXPECT_EQ(devices[0].bytes.weights / mib, 258U);
    EXPECT_EQ(devices[0].bytes.kv, 128 * mib);
    EXPECT_EQ(devices[0].bytes.compute / mib, 36U);
    EXPECT_GT(devices[0].bytes.output, 0U);
    EXPECT_EQ(devices[0].bytes.overhead, 0U);
}

TEST(MemoryLinesTest, AddsCachesAndWeightsAndTakesTheLastOfComputeBuffers) {
    const auto devices = read({
        "0.1 I load_tensors:   CPU_Mapped model buffer size =     1.50 MiB",
        "0.1 I load_tensors:   CPU_REPACK model buffer size =    64.00 MiB",
        "0.1 I llama_context: constructing llama_context",
        "0.1 I llama_kv_cache:        CPU KV buffer size =    32.00 MiB",
        "0.1 I llama_kv_cache:        CPU KV buffer size =    10.00 MiB",
        "0.1 I llama_memory_recurrent:        CPU RS buffer size =     0.50 MiB",
        "0.1 I sched_reserve:        CPU compute buffer size =    21.00 MiB",
        "0.1 I sched_reserve:        CPU compute buffer size =    72.50 MiB",
        "0.1 I llama_context: constructing llama_context",
        "0.1 I sched_reserve:        CPU compute buffer size =     2.00 MiB",
    });
    ASSERT_EQ(devices.size(), 1U);
    EXPECT_EQ(devices[0].bytes.weights, 65 * mib + mib / 2);
    EXPECT_EQ(devices[0].bytes.kv, 42 * mib);
    EXPECT_EQ(devices[0].bytes.recurrent, mib / 2);
    EXPECT_EQ(devices[0].bytes.compute, 74 * mib + mib / 2);
}

TEST(MemoryLinesTest, TellsGpusFromTheHost) {
    const auto devices = read({
        "load_tensors:        CUDA1 model buffer size =  4000.00 MiB",
        "load_tensors:        CUDA0 model buffer size =  3000.00 MiB",
        "load_tensors:    CUDA_Host model buffer size =   500.00 MiB",
        "llama_kv_cache_unified:      CUDA0 KV buffer size =   100.00 MiB",
        "llama_context:  CUDA_Host  output buffer size =     1.00 MiB",
        "llama_adapter_lora_init_impl:      CUDA0 LoRA buffer size =     2.00 MiB",
        "alloc_compute_meta:      CUDA0 compute buffer size =    50.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =   300.00 MiB",
        "sched_reserve:  CUDA_Host compute buffer size =    20.00 MiB",
    });
    ASSERT_EQ(devices.size(), 3U);
    EXPECT_EQ(devices[0].device, "host");
    EXPECT_EQ(devices[0].bytes.weights, 500 * mib);
    EXPECT_EQ(devices[0].bytes.compute, 20 * mib);
    EXPECT_EQ(devices[1].device, "cuda0");
    EXPECT_EQ(devices[1].bytes.kv, 100 * mib);
    EXPECT_EQ(devices[1].bytes.lora, 2 * mib);
    EXPECT_EQ(devices[1].bytes.compute, 300 * mib);
    EXPECT_EQ(devices[1].bytes.mmproj, 50 * mib);
    EXPECT_EQ(devices[2].bytes.weights, 4000 * mib);
}

TEST(MemoryLinesTest, BeginsAnewWithANewLoad) {
    const auto devices = read({
        "0.1 I load_tensors:   CPU_Mapped model buffer size =   100.00 MiB",
        "9.1 I srv    load_model: loading model 'x.gguf'",
        "9.1 I load_tensors:   CPU_Mapped model buffer size =   100.00 MiB",
    });
    EXPECT_EQ(devices[0].bytes.weights, 100 * mib);
}

TEST(MemoryLinesTest, PassesOverWhatIsNoFigure) {
    EXPECT_TRUE(
        read({"", " buffer size =", "CPU KV buffer size = x MiB", "CPU KV buffer size = -1 MiB",
              "CPU KV buffer size = 1e300 MiB", "a: CPU KV buffer size = 12",
              "a: CPU other buffer size = 12 MiB", "KV buffer size = 12 MiB",
              "a: _CPU KV buffer size = 12 MiB", "a: C\xebU KV buffer size = 12 MiB"})
            .empty());
}

}  // namespace
}  // namespace routerd::llama
