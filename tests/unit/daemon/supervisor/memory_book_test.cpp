#include "daemon/supervisor/memory_book.hpp"

#include <gtest/gtest.h>

#include "common/base/text.hpp"
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

DeviceReading reading(const std::string& id, DeviceKind kind, std::uint64_t total,
                      std::uint64_t free) {
    DeviceReading reading;
    reading.device.id = id;
    reading.device.kind = kind;
    reading.device.visible_as = "GPU-" + id;
    reading.total = total;
    reading.free = free;
    return reading;
}

DeviceReadings machine(std::uint64_t total, std::uint64_t free) {
    DeviceReadings readings;
    readings.devices.push_back(reading("host", DeviceKind::host, total, free));
    return readings;
}

/// 64 GiB of host memory and empty NVIDIA GPUs of these sizes.
DeviceReadings with_gpus(const std::vector<std::uint64_t>& sizes) {
    auto readings = machine(64 * gib, 64 * gib);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto id = "cuda" + std::to_string(i);
        readings.devices.push_back(reading(id, DeviceKind::nvidia, sizes[i], sizes[i]));
    }
    return readings;
}

/// Nothing is kept in reserve, and estimates are taken as they are.
MemoryConfig exact() {
    MemoryConfig config{.reserve = {}, .budget = {}, .safety_factor = 1};
    for (const auto* device : {"host", "cuda0", "cuda1", "cuda2"}) {
        config.reserve[device] = 0;
    }
    return config;
}

LaunchParameters with_context(std::uint64_t context) {
    LaunchParameters launch;
    launch.context = context;
    return launch;
}

/// Of the first of its options.
scheduler::Footprint footprint(const MemoryBook& book, const Model& model,
                               const LaunchParameters& launch) {
    const auto options = book.options(model, launch);
    return options.empty() ? scheduler::Footprint() : options.front().footprint;
}

/// The GPUs of each option, "cuda0+cuda1"; "host" where there are none.
std::vector<std::string> places(const std::vector<MemoryOption>& options) {
    std::vector<std::string> all;
    for (const auto& option : options) {
        std::vector<std::string> gpus;
        for (const auto& gpu : option.where.gpus) {
            gpus.push_back(gpu.device);
        }
        all.push_back(gpus.empty() ? "host" : join(gpus, "+"));
    }
    return all;
}

using Places = std::vector<std::string>;

Observed ready_with(std::uint64_t resident) {
    Observed observed;
    observed.ready_resident = resident;
    return observed;
}

scheduler::Budget host_of(const MemoryBook& book) {
    return book.budgets().at("host");
}

TEST(MemoryBookTest, CountsAProjectorWithWhatItComputes) {
    MemoryBook book(exact());
    book.note(with_gpus({24 * gib}), {});
    auto model = small_model();
    const auto launch = with_context(4096);
    const auto without = footprint(book, model, launch);
    auto projector = std::make_shared<gguf::Metadata>();
    projector->tensor_bytes = gib;
    projector->vision_image_size = 224;
    projector->vision_patch_size = 14;
    projector->vision_embedding_length = 1024;
    projector->vision_feed_forward_length = 4096;
    projector->vision_head_count = 16;
    model.projector = projector;
    const auto with = footprint(book, model, launch);
    EXPECT_GT(with.at("cuda0"), without.at("cuda0") + gib) << "beside its weights it computes";
    EXPECT_EQ(with.at("host"), without.at("host"));
}

TEST(MemoryBookTest, KeepsAReserveAndTakesTheRestOffWhatOthersUse) {
    MemoryBook book({});
    EXPECT_TRUE(book.budgets().empty()) << "nothing is known yet";
    EXPECT_TRUE(book.note(machine(16 * gib, 10 * gib), {{"host", 2 * gib}}));
    EXPECT_EQ(host_of(book).usable, 16 * gib - 16 * gib / 20);
    EXPECT_EQ(host_of(book).foreign, 4 * gib) << "6 GiB are used, and 2 of them by us";
    EXPECT_FALSE(book.note(machine(16 * gib, 8 * gib), {{"host", 2 * gib}}));
    EXPECT_EQ(host_of(book).foreign, 6 * gib);
}

TEST(MemoryBookTest, ObeysTheConfiguredReserveAndBudget) {
    MemoryBook book({.reserve = {{"host", 1 * gib}}, .budget = {}, .safety_factor = 1});
    book.note(machine(16 * gib, 16 * gib), {});
    EXPECT_EQ(host_of(book).usable, 15 * gib);
    book.apply({.reserve = {{"host", 1 * gib}}, .budget = {{"host", 4 * gib}}, .safety_factor = 1});
    EXPECT_EQ(host_of(book).usable, 4 * gib);
    EXPECT_EQ(host_of(book).foreign, 0U);
    book.note(machine(16 * gib, 4 * gib), {});
    EXPECT_EQ(host_of(book).usable - host_of(book).foreign, 3 * gib)
        << "others use 12 of 15 GiB, so 3 are left of the budget";
}

TEST(MemoryBookTest, KeepsTheLastFiguresOfADeviceThatCannotBeRead) {
    MemoryBook book({});
    book.note(machine(16 * gib, 16 * gib), {});
    auto readings = machine(0, 0);
    readings.devices.front().error = Error(Errc::unavailable, "no /proc");
    EXPECT_FALSE(book.note(readings, {}));
    EXPECT_GT(host_of(book).usable, 15 * gib);
}

TEST(MemoryBookTest, MultipliesAnEstimateUntilALoadCorrectedIt) {
    const auto model = small_model();
    const auto launch = with_context(4096);
    MemoryBook exact({.reserve = {}, .budget = {}, .safety_factor = 1});
    MemoryBook careful({.reserve = {}, .budget = {}, .safety_factor = 1.5});
    for (auto* book : {&exact, &careful}) {
        book->note(machine(16 * gib, 16 * gib), {});
    }
    const auto once = footprint(exact, model, launch).at("host");
    EXPECT_GT(once, 228 * mib) << "weights and 128 MiB of KV cache";
    EXPECT_EQ(footprint(careful, model, launch).at("host"), once + once / 2);
    careful.learn(model, launch, {}, ready_with(once - 20 * mib));
    const auto learned = footprint(careful, model, launch).at("host");
    EXPECT_LT(learned, once + 32 * mib) << "the factor is for what nobody has seen";
    EXPECT_NE(footprint(careful, model, with_context(8192)).at("host"), learned);
}

TEST(MemoryBookTest, SaysNothingBeforeTheFirstLook) {
    EXPECT_TRUE(MemoryBook({}).options(small_model(), {}).empty());
}

TEST(MemoryBookTest, CountsEveryDevice) {
    MemoryBook book({.reserve = {{"cuda1", 4 * gib}}, .budget = {{"cuda0", 6 * gib}}});
    auto readings = with_gpus({8 * gib, 24 * gib, 40 * gib});
    readings.devices[2].free = 14 * gib;
    EXPECT_TRUE(book.note(readings, {{"cuda1", 7 * gib}}));
    const auto budgets = book.budgets();
    EXPECT_EQ(budgets.at("cuda0").usable, 6 * gib);
    EXPECT_EQ(budgets.at("cuda1").usable, 20 * gib);
    EXPECT_EQ(budgets.at("cuda1").foreign, 3 * gib) << "10 GiB are used, and 7 of them by us";
    EXPECT_EQ(budgets.at("cuda2").usable, 39 * gib) << "a GPU's usual reserve";
    readings.devices[1].error = Error(Errc::unavailable, "GPU is lost");
    readings.devices[1].total = 0;
    EXPECT_FALSE(book.note(readings, {}));
    const auto lost = book.devices().at(1);
    EXPECT_EQ(lost.usable, 6 * gib);
    EXPECT_EQ(lost.error, "GPU is lost");
}

TEST(MemoryBookTest, AKindThatCannotBeReadKeepsItsFigures) {
    MemoryBook book(exact());
    book.note(with_gpus({8 * gib}), {});
    auto readings = with_gpus({});
    readings.problems.emplace_back(Errc::unavailable, "the driver does not match");
    EXPECT_FALSE(book.note(readings, {}));
    EXPECT_EQ(book.devices().at(1).usable, 8 * gib);
    EXPECT_EQ(book.devices().at(1).error, "the driver does not match");
    EXPECT_TRUE(book.note(with_gpus({}), {})) << "now it is really gone";
    EXPECT_EQ(book.devices().size(), 1U);
}

TEST(MemoryBookTest, PutsAModelOnOneGpuBeforeItSplitsIt) {
    MemoryBook book(exact());
    book.note(with_gpus({8 * gib, 24 * gib}), {});
    const auto options = book.options(small_model(), with_context(4096));
    EXPECT_EQ(places(options), (Places{"cuda0", "cuda1", "cuda0+cuda1"}));
    const auto& first = options.front();
    EXPECT_TRUE(first.where.decided);
    EXPECT_EQ(first.where.gpus.front().visible_as, "GPU-cuda0");
    EXPECT_EQ(first.where.gpu_layers, std::nullopt);
    EXPECT_GT(first.footprint.at("cuda0"), 200 * mib) << "weights and KV cache";
    EXPECT_LT(first.footprint.at("host"), 250 * mib);
    EXPECT_FALSE(first.footprint.contains("cuda1"));
    const auto& split = options.back().where.gpus;
    EXPECT_EQ(split[1].share, 3 * split[0].share) << "in proportion to their size";
}

TEST(MemoryBookTest, SplitsOverAsFewGpusAsHoldIt) {
    MemoryBook book(exact());
    book.note(with_gpus({4 * gib, 4 * gib, 4 * gib}), {});
    const auto options = book.options(small_model(), with_context(131072));
    ASSERT_FALSE(options.empty()) << "4 GiB of KV cache";
    EXPECT_EQ(places(options),
              (Places{"cuda0+cuda1", "cuda0+cuda2", "cuda1+cuda2", "cuda0+cuda1+cuda2"}));
    for (const auto& option : options) {
        EXPECT_LT(option.footprint.at(option.where.gpus.back().device), 4 * gib);
    }
}

TEST(MemoryBookTest, MovesLayersToTheHostOnlyWhenNothingElseFits) {
    MemoryBook book(exact());
    const auto model = small_model();
    book.note(with_gpus({2 * gib, 2 * gib}), {});
    const auto options = book.options(model, with_context(131072));
    EXPECT_EQ(places(options), (Places{"cuda0+cuda1", "cuda0", "cuda1"}));
    const auto layers = options.front().where.gpu_layers;
    ASSERT_TRUE(layers);
    EXPECT_GT(*layers, *options.back().where.gpu_layers);
    EXPECT_LE(options.front().footprint.at("cuda0"), 2 * gib);
    EXPECT_GT(options.front().footprint.at("host"), 1 * gib);
    book.note(with_gpus({500 * mib}), {});
    EXPECT_EQ(places(book.options(model, with_context(131072))), (Places{"host"}));
}

TEST(MemoryBookTest, SaysHonestFiguresOfWhatFitsNowhere) {
    MemoryBook book(exact());
    auto readings = with_gpus({1 * gib, 2 * gib});
    readings.devices.front().total = readings.devices.front().free = 1 * gib;
    book.note(readings, {});
    const auto options = book.options(small_model(), with_context(131072));
    EXPECT_EQ(places(options), (Places{"cuda1"})) << "the largest";
    EXPECT_GT(options.front().footprint.at("cuda1"), 4 * gib);
}

TEST(MemoryBookTest, ObeysTheDevicesAndLayersThatWereAskedFor) {
    MemoryBook book(exact());
    book.note(with_gpus({8 * gib, 8 * gib}), {});
    const auto model = small_model();
    auto launch = with_context(4096);
    launch.devices = {"cuda1"};
    EXPECT_EQ(places(book.options(model, launch)), (Places{"cuda1"}));
    launch.gpu_layers = 3;
    EXPECT_EQ(book.options(model, launch).front().where.gpu_layers, 3U);
    EXPECT_EQ(book.options(model, launch).front().estimate.gpu_layers, 3U);
    launch.gpu_layers = 999;
    book.note(with_gpus({8 * gib, 500 * mib}), {});
    EXPECT_EQ(book.options(model, launch).front().where.gpu_layers, 999U)
        << "too many, and not fewer than asked for";
    launch.devices.emplace();
    const auto on_host = book.options(model, launch);
    EXPECT_EQ(places(on_host), (Places{"host"}));
    EXPECT_TRUE(on_host.front().where.decided) << "the server must be told to use none";
}

TEST(MemoryBookTest, NamesTheDevicesThatThereAre) {
    MemoryBook book(exact());
    auto model = small_model();
    model.settings.devices = {"CUDA0", "cuda7"};
    EXPECT_TRUE(book.check_devices(model)) << "nothing was looked at yet";
    book.note(with_gpus({8 * gib, 8 * gib}), {});
    const auto checked = book.check_devices(model);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), Errc::load_failed);
    EXPECT_EQ(checked.error().message(),
              "[model.\"a\"] devices names 'cuda7', which is not there: this machine has host, "
              "cuda0, cuda1");
    model.settings.devices = {"CUDA0", "Vulkan0"};
    EXPECT_TRUE(book.check_devices(model)) << "the server knows that one";
    model.settings.devices = {"cpu", "cuda0"};
    EXPECT_FALSE(book.check_devices(model));
}

TEST(MemoryBookTest, LeavesToTheUsersArgumentsWhatTheySay) {
    MemoryBook book(exact());
    const auto model = small_model();
    auto launch = with_context(4096);
    launch.placed = Placed::by_arguments;
    book.note(with_gpus({8 * gib, 8 * gib}), {});
    EXPECT_TRUE(book.options(model, launch).empty()) << "the server splits it as it likes";
    launch.devices = {"cuda1"};
    const auto named = book.options(model, launch);
    EXPECT_EQ(places(named), (Places{"cuda1"}));
    EXPECT_FALSE(named.front().where.decided) << "it is told by the user";
    launch.gpu_layers = 0;
    EXPECT_EQ(places(book.options(model, launch)), (Places{"host"}));
    launch.placed = Placed::unreadable;
    EXPECT_TRUE(book.options(model, launch).empty());
    launch.devices.reset();
    book.note(with_gpus({}), {});
    EXPECT_EQ(places(book.options(model, launch)), (Places{"host"})) << "there is only that";
}

TEST(MemoryBookTest, CountsAProgramWithoutGpuSupportOnTheHost) {
    MemoryBook book(exact());
    book.note(with_gpus({8 * gib}), {});
    auto launch = with_context(4096);
    launch.program = "/opt/llama-server";
    EXPECT_EQ(places(book.options(small_model(), launch)), (Places{"cuda0"}));
    EXPECT_TRUE(book.note_program(launch.program, {}));
    EXPECT_FALSE(book.note_program(launch.program, {}));
    const auto options = book.options(small_model(), launch);
    EXPECT_EQ(places(options), (Places{"host"}));
    EXPECT_FALSE(options.front().where.decided) << "there is nothing to tell it";
    book.note_program(launch.program, {.kinds = {}, .has_others = true});
    EXPECT_TRUE(book.options(small_model(), launch).empty()) << "Vulkan takes what it likes";
}

TEST(MemoryBookTest, WhatWasLearnedOnOneGpuHoldsForAnother) {
    const auto model = small_model();
    const auto launch = with_context(4096);
    MemoryBook book(exact());
    book.note(with_gpus({8 * gib, 8 * gib}), {});
    const auto first = book.options(model, launch).front();
    Observed observed;
    observed.held = {{"cuda0", first.footprint.at("cuda0") + 300 * mib}};
    const auto lesson = book.learn(model, launch, first.where, observed);
    const auto after = book.options(model, launch);
    EXPECT_TRUE(after[0].learned && after[1].learned);
    EXPECT_EQ(after[1].footprint.at("cuda1"), first.footprint.at("cuda0") + 300 * mib);

    MemoryBook other(exact());
    other.note(with_gpus({8 * gib, 8 * gib}), {});
    other.recall(lesson);
    EXPECT_EQ(other.options(model, launch).front().footprint, after.front().footprint);
    const auto larger = other.options(model, with_context(8192)).front();
    EXPECT_FALSE(larger.learned);
    MemoryBook fresh(exact());
    fresh.note(with_gpus({8 * gib, 8 * gib}), {});
    const auto guessed = fresh.options(model, with_context(8192)).front();
    EXPECT_EQ(larger.footprint.at("cuda0"), guessed.footprint.at("cuda0") + 300 * mib)
        << "the same model: its overhead is known";
}

TEST(MemoryBookTest, ALessonNeverMakesTheContextGrow) {
    const auto model = small_model();
    for (const double factor : {0.7, 1.3}) {
        MemoryBook book({.reserve = {{"host", 0}}, .budget = {}, .safety_factor = 1.1});
        book.note(machine(1 * gib, 1 * gib), {});
        const auto context = book.fitting_context(model, with_context);
        ASSERT_TRUE(context);
        const auto launch = with_context(*context);
        const auto bytes = static_cast<double>(footprint(book, model, launch).at("host"));
        const auto seen = static_cast<std::uint64_t>(bytes * factor);
        book.learn(model, launch, {}, ready_with(seen));
        const auto after = book.fitting_context(model, with_context);
        ASSERT_TRUE(after);
        if (factor < 1) {
            EXPECT_EQ(*after, *context) << "its own server would be restarted";
        } else {
            EXPECT_LT(*after, *context);
            const auto way = book.options(model, with_context(*after)).front();
            const auto& expected = way.estimate.devices.front().bytes;
            book.learn(model, with_context(*after), {},
                       ready_with(expected.total() - expected.compute));
            EXPECT_EQ(book.fitting_context(model, with_context), after) << "one step is enough";
        }
    }
}

TEST(MemoryBookTest, FindsAContextThatFitsTheGpu) {
    const auto model = small_model();
    MemoryBook book(exact());
    book.note(with_gpus({3 * gib}), {});
    EXPECT_FALSE(book.fits_well(model, {})) << "it would, with layers on the host";
    const auto context = book.fitting_context(model, with_context);
    ASSERT_TRUE(context);
    EXPECT_GT(*context, 4096U);
    EXPECT_TRUE(book.fits_well(model, with_context(*context)));
    EXPECT_FALSE(book.fits_well(model, with_context(*context + 256)));
    book.note(with_gpus({600 * mib}), {});
    EXPECT_EQ(book.fitting_context(model, with_context), 4096U) << "as small as it goes";
}

TEST(MemoryBookTest, FindsTheLargestContextThatFits) {
    const auto model = small_model();
    MemoryBook book({.reserve = {{"host", 0}}, .budget = {}, .safety_factor = 1});
    book.note(machine(1 * gib, 1 * gib), {});
    EXPECT_FALSE(book.fits_well(model, {})) << "4 GiB of KV cache";
    const auto context = book.fitting_context(model, with_context);
    ASSERT_TRUE(context);
    EXPECT_EQ(*context % 256, 0U);
    EXPECT_TRUE(book.fits_well(model, with_context(*context)));
    EXPECT_FALSE(book.fits_well(model, with_context(*context + 256)));
    book.note(machine(200 * mib, 200 * mib), {});
    EXPECT_FALSE(book.fitting_context(model, with_context)) << "not even with 4096";
}

}  // namespace
}  // namespace routerd
