#include "daemon/supervisor/memory_book.hpp"

#include <gtest/gtest.h>

#include "common/base/units.hpp"

namespace routerd {
namespace {

/// 100 MiB of weights, and 32 KiB of KV cache a token.
Model small_model() {
    Model model;
    model.id = "a";
    auto& file = model.metadata;
    file.architecture = "llama";
    file.context_length = 131072;
    file.embedding_length = 1024;
    file.block_count = 8;
    file.vocab_size = 2048;
    file.head_count = {8};
    file.head_count_kv = {8};
    file.key_length = 128;
    file.value_length = 128;
    file.feed_forward_length = {2048};
    file.layer_bytes.assign(8, 12 * mib);
    file.embedding_bytes = 2 * mib;
    file.output_bytes = 2 * mib;
    file.tensor_bytes = 100 * mib;
    return model;
}

DeviceReadings machine(std::uint64_t total, std::uint64_t free, bool with_gpu = false) {
    DeviceReadings readings;
    DeviceReading host;
    host.device.id = "host";
    host.total = total;
    host.free = free;
    readings.devices.push_back(host);
    if (with_gpu) {
        DeviceReading gpu;
        gpu.device.id = "cuda0";
        readings.devices.push_back(gpu);
    }
    return readings;
}

LaunchParameters with_context(std::uint64_t context) {
    LaunchParameters launch;
    launch.context = context;
    return launch;
}

scheduler::Budget host_of(const MemoryBook& book) {
    return book.budgets().at("host");
}

TEST(MemoryBookTest, KeepsAReserveAndTakesTheRestOffWhatOthersUse) {
    MemoryBook book({});
    EXPECT_TRUE(book.budgets().empty()) << "nothing is known yet";
    EXPECT_TRUE(book.note(machine(16 * gib, 10 * gib), 2 * gib));
    EXPECT_EQ(host_of(book).usable, 16 * gib - 16 * gib / 20);
    EXPECT_EQ(host_of(book).foreign, 4 * gib) << "6 GiB are used, and 2 of them by us";
    EXPECT_FALSE(book.note(machine(16 * gib, 8 * gib), 2 * gib));
    EXPECT_EQ(host_of(book).foreign, 6 * gib);
}

TEST(MemoryBookTest, ObeysTheConfiguredReserveAndBudget) {
    MemoryBook book({.reserve = {{"host", 1 * gib}}, .budget = {}, .safety_factor = 1});
    book.note(machine(16 * gib, 16 * gib), 0);
    EXPECT_EQ(host_of(book).usable, 15 * gib);
    book.apply({.reserve = {{"host", 1 * gib}}, .budget = {{"host", 4 * gib}}, .safety_factor = 1});
    EXPECT_EQ(host_of(book).usable, 4 * gib);
    EXPECT_EQ(host_of(book).foreign, 0U);
    book.note(machine(16 * gib, 4 * gib), 0);
    EXPECT_EQ(host_of(book).usable - host_of(book).foreign, 3 * gib)
        << "others use 12 of 15 GiB, so 3 are left of the budget";
}

TEST(MemoryBookTest, KeepsTheLastFiguresOfADeviceThatCannotBeRead) {
    MemoryBook book({});
    book.note(machine(16 * gib, 16 * gib), 0);
    auto readings = machine(0, 0);
    readings.devices.front().error = Error(Errc::unavailable, "no /proc");
    EXPECT_FALSE(book.note(readings, 0));
    EXPECT_GT(host_of(book).usable, 15 * gib);
}

TEST(MemoryBookTest, MultipliesAnEstimateUntilALoadCorrectedIt) {
    const auto model = small_model();
    const auto launch = with_context(4096);
    MemoryBook exact({.reserve = {}, .budget = {}, .safety_factor = 1});
    MemoryBook careful({.reserve = {}, .budget = {}, .safety_factor = 1.5});
    for (auto* book : {&exact, &careful}) {
        book->note(machine(16 * gib, 16 * gib), 0);
    }
    const auto once = exact.footprint(model, launch)->at("host");
    EXPECT_GT(once, 228 * mib) << "weights and 128 MiB of KV cache";
    EXPECT_EQ(careful.footprint(model, launch)->at("host"), once + once / 2);
    careful.learn(model, launch, once - 20 * mib);
    const auto learned = careful.footprint(model, launch)->at("host");
    EXPECT_LT(learned, once + 32 * mib) << "the factor is for what nobody has seen";
    EXPECT_NE(careful.footprint(model, with_context(8192))->at("host"), learned);
}

TEST(MemoryBookTest, SaysNothingWhereAGpuMayTakePart) {
    const auto model = small_model();
    MemoryBook book({});
    EXPECT_FALSE(book.footprint(model, {})) << "nothing is known of the machine";
    book.note(machine(16 * gib, 16 * gib, true), 0);
    EXPECT_FALSE(book.footprint(model, {}));
    LaunchParameters on_host;
    on_host.gpu_layers = 0;
    EXPECT_TRUE(book.footprint(model, on_host));
}

TEST(MemoryBookTest, FindsTheLargestContextThatFits) {
    const auto model = small_model();
    MemoryBook book({.reserve = {{"host", 0}}, .budget = {}, .safety_factor = 1});
    book.note(machine(1 * gib, 1 * gib), 0);
    EXPECT_FALSE(book.would_fit(*book.footprint(model, {}))) << "4 GiB of KV cache";
    const auto context = book.fitting_context(model, with_context);
    ASSERT_TRUE(context);
    EXPECT_EQ(*context % 256, 0U);
    EXPECT_TRUE(book.would_fit(*book.footprint(model, with_context(*context))));
    EXPECT_FALSE(book.would_fit(*book.footprint(model, with_context(*context + 256))));
    book.note(machine(200 * mib, 200 * mib), 0);
    EXPECT_FALSE(book.fitting_context(model, with_context)) << "not even with 4096";
}

}  // namespace
}  // namespace routerd
