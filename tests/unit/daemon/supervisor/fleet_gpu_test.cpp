// Models on GPUs that a fake NVML shows: where their servers are put and what those are told.
#include <array>
#include <cstdio>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/devices/small_file.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// What the fake library below answers, read by a pool thread: set it before the fleet lives.
struct Gpus {
    unsigned count = 2;
    std::array<unsigned long long, 2> total{6 * gib, 6 * gib};
    std::array<unsigned long long, 2> used{0, 0};
};
Gpus gpus;

nvml::Handle handle_of(unsigned index) {
    return reinterpret_cast<nvml::Handle>(static_cast<std::uintptr_t>(index + 1));
}

std::size_t index_of(nvml::Handle handle) {
    return handle == handle_of(0) ? 0 : 1;
}

nvml::Api fake_nvml() {
    nvml::Api api;
    api.init = [] { return nvml::success; };
    api.shutdown = [] { return nvml::success; };
    api.error_string = [](nvml::Status) { return "broken"; };
    api.device_count = [](unsigned* count) {
        *count = gpus.count;
        return nvml::success;
    };
    api.device_handle = [](unsigned index, nvml::Handle* handle) {
        *handle = handle_of(index);
        return nvml::success;
    };
    api.device_name = [](nvml::Handle, char* to, unsigned size) {
        std::snprintf(to, size, "Test GPU");
        return nvml::success;
    };
    api.device_uuid = [](nvml::Handle handle, char* to, unsigned size) {
        std::snprintf(to, size, "GPU-%zu", index_of(handle));
        return nvml::success;
    };
    api.device_memory = [](nvml::Handle handle, nvml::Memory* memory) {
        const auto i = index_of(handle);
        *memory = {gpus.total[i], gpus.total[i] - gpus.used[i], gpus.used[i]};
        return nvml::success;
    };
    return api;
}

class FleetGpuTest : public FleetTest {
  protected:
    FleetGpuTest() {
        gpus = {};
        nvml = &api_;
        config.memory.safety_factor = 1;
    }

    /// About 4 GiB on a GPU: one to each of them.
    Model& add_large(const std::string& id) {
        auto& model = add_model(id);
        auto& file = model.metadata;
        file.architecture = "llama";
        file.context_length = 4096;
        file.embedding_length = 256;
        file.block_count = 8;
        file.vocab_size = 1000;
        file.head_count = {4};
        file.layer_bytes.assign(8, gib / 2);
        file.tensor_bytes = 4 * gib;
        return model;
    }

    /// The words of a file of /proc that ends each with a zero.
    static std::vector<std::string> words(pid_t pid, const char* name) {
        const auto text = read_small_file("/proc/" + std::to_string(pid) + "/" + name);
        std::vector<std::string> all;
        EXPECT_TRUE(text);
        for (const auto word : split(text ? std::string_view(*text) : "", '\0')) {
            all.emplace_back(word);
        }
        return all;
    }

    /// A program that answers --list-devices so, and is the fake server else.
    std::string program_that_lists(const std::string& devices) {
        const auto path = dir.write("listing-server",
                                    "#!/bin/sh\n"
                                    "case \"$*\" in *--list-devices*)\n"
                                    "  printf 'Available devices:\\n" +
                                        devices +
                                        "\\n'; exit 0;;\nesac\n"
                                        "exec '" FAKE_LLAMA_SERVER "' \"$@\"\n");
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }

    /// What the ledger holds for a model on a device; 0: nothing.
    static std::uint64_t held(const Fleet& fleet, const std::string& model,
                              const std::string& device) {
        for (const auto& report : fleet.memory()) {
            for (const auto& holder : report.holders) {
                if (report.device.id == device && holder.model == model) {
                    return holder.reserved;
                }
            }
        }
        return 0;
    }

    const nvml::Api api_ = fake_nvml();
};

TEST_F(FleetGpuTest, ASecondModelGoesToTheGpuThatIsFree) {
    add_large("a");
    add_large("b");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        for (const auto* id : {"a", "b"}) {
            const auto loaded = co_await fleet.load(id);
            EXPECT_TRUE(loaded) << loaded.error().message();
        }
        const auto first = fleet.view("a").pid;
        const auto second = fleet.view("b").pid;
        EXPECT_THAT(words(first, "environ"), Contains("CUDA_VISIBLE_DEVICES=GPU-0"));
        EXPECT_THAT(words(second, "environ"), Contains("CUDA_VISIBLE_DEVICES=GPU-1"));
        EXPECT_THAT(words(second, "environ"), Contains("CUDA_DEVICE_ORDER=PCI_BUS_ID"));
        EXPECT_THAT(join(words(second, "cmdline"), " "), HasSubstr("-ngl 999"));
        EXPECT_GT(held(fleet, "b", "cuda1"), 4 * gib);
        EXPECT_EQ(held(fleet, "b", "cuda0"), 0U);
        EXPECT_EQ(fleet.view("b").gpus, std::vector<std::string>{"cuda1"});
        EXPECT_GT(fleet.view("b").gpu_bytes, 4 * gib);
    });
}

TEST_F(FleetGpuTest, AModelAvoidsTheGpuThatOthersUse) {
    gpus.used[0] = 5 * gib;
    add_large("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded) << loaded.error().message();
        EXPECT_THAT(words(fleet.view("a").pid, "environ"), Contains("CUDA_VISIBLE_DEVICES=GPU-1"));
    });
}

TEST_F(FleetGpuTest, AnAdoptedServerKeepsItsGpu) {
    add_large("a");
    add_large("b");
    live(
        [](Fleet& fleet) -> asio::awaitable<void> {
            co_await fleet.load("a");
            co_await fleet.load("b");
        },
        Fleet::OnShutdown::leave_running);
    live([](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_TRUE(fleet.view("b").adopted);
        EXPECT_GT(held(fleet, "a", "cuda0"), 4 * gib);
        EXPECT_GT(held(fleet, "b", "cuda1"), 4 * gib);
        EXPECT_EQ(held(fleet, "b", "cuda0"), 0U);
        co_return;
    });
}

TEST_F(FleetGpuTest, AnUnknownDeviceFailsTheLoadAndNamesThoseThatThereAre) {
    add_large("a").settings.devices = {"cuda5"};
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_FALSE(loaded);
        EXPECT_THAT(loaded.error().message(), HasSubstr("this machine has host, cuda0, cuda1"));
        EXPECT_FALSE(fleet.command_line("a"));
    });
}

TEST_F(FleetGpuTest, AServerWithoutGpuSupportIsCountedOnTheHost) {
    config.llama_server.path = program_that_lists("  (none)");
    add_large("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto changed = std::make_shared<Signal>(loop.get_executor());
        fleet.on_change([changed] { changed->notify(); });  // to the fleet's end
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded) << loaded.error().message();
        const auto deadline = in(10s);
        while (held(fleet, "a", "cuda0") > 0 && steady_now() < deadline) {
            co_await changed->wait_until(in(20ms));  // the answer is no change of an instance
        }
        EXPECT_EQ(held(fleet, "a", "cuda0"), 0U);
        EXPECT_GT(held(fleet, "a", "host"), 4 * gib);
        const auto shown = fleet.command_line("a");
        EXPECT_THAT(join(shown->argv, " "), testing::Not(HasSubstr("-ngl")));
    });
}

TEST_F(FleetGpuTest, NothingIsSaidOfGpusWhereThereAreNone) {
    gpus.count = 0;
    add_large("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded) << loaded.error().message();
        const auto environment = join(words(fleet.view("a").pid, "environ"), " ");
        EXPECT_THAT(environment, testing::Not(HasSubstr("CUDA_DEVICE_ORDER")));
        EXPECT_THAT(join(words(fleet.view("a").pid, "cmdline"), " "),
                    testing::Not(HasSubstr("-ngl")));
    });
}

/// Whether the figures for a model are those of a load.
bool is_learned(const Fleet& fleet, const std::string& model) {
    const auto report = fleet.estimate(model, {});
    EXPECT_TRUE(report);
    return report && report->learned;
}

TEST_F(FleetGpuTest, WhatALoadTaughtIsKnownToTheNextDaemon) {
    add_large("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_FALSE(is_learned(fleet, "a"));
        Signal kept(loop.get_executor());
        corrections.on_put = [&kept] { kept.notify(); };
        co_await fleet.load("a");
        EXPECT_TRUE(is_learned(fleet, "a"));
        const bool in_time = co_await kept.wait_until(in(10s));
        EXPECT_TRUE(in_time);
        corrections.on_put = nullptr;
    });
    EXPECT_EQ(corrections.rows.size(), 1U);
    live([](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_TRUE(is_learned(fleet, "a"));
        co_return;
    });
    for (auto& [fingerprint, row] : corrections.rows) {
        row.figures = "{\"version\": 99}";
    }
    live([](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_FALSE(is_learned(fleet, "a")) << "a row of another version is passed over";
        co_return;
    });
}

}  // namespace
}  // namespace routerd::test
