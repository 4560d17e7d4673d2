#include "daemon/devices/nvidia.hpp"

#include <cstdio>
#include <functional>

#include <gtest/gtest.h>

#include "common/base/units.hpp"

namespace routerd {
namespace {

/// What the fake library below answers; one test runs at a time.
struct Machine {
    nvml::Status init = nvml::success;
    nvml::Status count_status = nvml::success;
    unsigned count = 2;
    nvml::Status first_memory = nvml::success;
    std::vector<nvml::Process> processes;
    int opened = 0;
};
Machine machine;

nvml::Handle handle_of(unsigned index) {
    return reinterpret_cast<nvml::Handle>(static_cast<std::uintptr_t>(index + 1));
}

nvml::Status put_text(char* to, unsigned size, const char* prefix, nvml::Handle handle) {
    std::snprintf(to, size, "%s%d", prefix, handle == handle_of(0) ? 0 : 1);
    return nvml::success;
}

nvml::Status list_processes(nvml::Handle /*handle*/, unsigned* count, nvml::Process* to) {
    const auto room = *count;
    *count = static_cast<unsigned>(machine.processes.size());
    if (room < *count) {
        return nvml::insufficient_size;
    }
    std::ranges::copy(machine.processes, to);
    return nvml::success;
}

nvml::Api fake_api() {
    nvml::Api api;
    api.init = [] {
        machine.opened += machine.init == nvml::success ? 1 : 0;
        return machine.init;
    };
    api.shutdown = [] {
        --machine.opened;
        return nvml::success;
    };
    api.error_string = [](nvml::Status status) {
        return status == 18 ? "Driver/library version mismatch" : "GPU is lost";
    };
    api.device_count = [](unsigned* count) {
        *count = machine.count;
        return machine.count_status;
    };
    api.device_handle = [](unsigned index, nvml::Handle* handle) {
        *handle = handle_of(index);
        return nvml::success;
    };
    api.device_name = [](nvml::Handle handle, char* to, unsigned size) {
        return put_text(to, size, "NVIDIA Test ", handle);
    };
    api.device_uuid = [](nvml::Handle handle, char* to, unsigned size) {
        return put_text(to, size, "GPU-", handle);
    };
    api.device_memory = [](nvml::Handle handle, nvml::Memory* memory) {
        *memory = {24 * gib, 20 * gib, 4 * gib};
        return handle == handle_of(0) ? machine.first_memory : nvml::success;
    };
    api.compute_processes = list_processes;
    return api;
}

class NvidiaTest : public testing::Test {
  protected:
    NvidiaTest() { machine = {}; }
    ~NvidiaTest() override { EXPECT_EQ(machine.opened, 0); }

    std::vector<DeviceReading> read() const {
        const auto nvidia = Nvidia::open(api_);
        const auto readings = nvidia.value().read();
        return readings.value();
    }

    nvml::Api api_ = fake_api();
};

TEST_F(NvidiaTest, ReadsEveryDevice) {
    const auto readings = read();
    ASSERT_EQ(readings.size(), 2U);
    EXPECT_EQ(readings[1].device.id, "cuda1");
    EXPECT_EQ(readings[1].device.name, "NVIDIA Test 1");
    EXPECT_EQ(readings[1].device.uuid, "GPU-1");
    EXPECT_EQ(readings[1].device.visible_as, "GPU-1");
    EXPECT_EQ(readings[1].total, 24 * gib);
    EXPECT_EQ(readings[1].free, 20 * gib);
}

TEST_F(NvidiaTest, TakesOffWhatTheDriverKeepsWhereItSaysSo) {
    api_.device_memory_v2 = [](nvml::Handle /*handle*/, nvml::MemoryV2* memory) {
        EXPECT_EQ(memory->version, nvml::memory_v2_version);
        memory->total = 24 * gib;
        memory->reserved = gib;
        memory->free = 20 * gib;
        return nvml::success;
    };
    EXPECT_EQ(read()[0].total, 23 * gib);
    api_.device_memory_v2 = [](nvml::Handle, nvml::MemoryV2*) { return nvml::not_supported; };
    EXPECT_EQ(read()[0].total, 24 * gib);
}

TEST_F(NvidiaTest, OneLostDeviceLeavesTheOthers) {
    machine.first_memory = 15;
    const auto readings = read();
    ASSERT_TRUE(readings[0].error);
    EXPECT_EQ(readings[0].error->message(), "read the memory of cuda0: GPU is lost");
    EXPECT_EQ(readings[0].total, 0U);
    EXPECT_FALSE(readings[1].error);
    EXPECT_EQ(readings[1].free, 20 * gib);
}

TEST_F(NvidiaTest, ListsProcessesHoweverMany) {
    for (unsigned pid = 300; pid > 0; --pid) {
        machine.processes.push_back({pid, gib, 0, 0});
    }
    machine.processes.front().bytes = nvml::bytes_not_known;
    const auto processes = read()[0].processes;
    ASSERT_EQ(processes.size(), 300U);
    EXPECT_EQ(processes.front(), (DeviceProcess{1, gib}));
    EXPECT_EQ(processes.back(), (DeviceProcess{300, std::nullopt}));
}

TEST_F(NvidiaTest, DoesWithoutAListOfProcesses) {
    api_.compute_processes = [](nvml::Handle, unsigned*, nvml::Process*) {
        return nvml::not_supported;
    };
    EXPECT_FALSE(read()[0].error);
    api_.compute_processes = nullptr;
    EXPECT_TRUE(read()[0].processes.empty());
}

TEST_F(NvidiaTest, SaysInTheLibrarysWordsWhyItCannotOpen) {
    machine.init = 18;
    const auto opened = Nvidia::open(api_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message(), "initialize NVML: Driver/library version mismatch");
}

TEST_F(NvidiaTest, LoadsWhatIsThereAndSaysWhatIsNot) {
    const auto none = NvmlLibrary::load("libnvidia-ml-of-nobody.so.1");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::not_found);
    const auto other = NvmlLibrary::load("libc.so.6");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), Errc::unavailable);
}

}  // namespace
}  // namespace routerd
