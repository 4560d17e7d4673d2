#include "daemon/devices/nvidia.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/base/text.hpp"

namespace routerd {
namespace {

using Text = std::array<char, nvml::text_size>;

std::string text_of(const Text& text) {
    return escaped({text.data(), ::strnlen(text.data(), text.size())});
}

}  // namespace

Result<Nvidia> Nvidia::open(const nvml::Api& api) {
    if (const auto status = api.init(); status != nvml::success) {
        return Error(Errc::unavailable, "initialize NVML: " + escaped(api.error_string(status)))
            .with_hint("nvidia-smi says more; a driver that was updated wants a restart");
    }
    return Nvidia(api);
}

Nvidia::~Nvidia() {
    if (api_ != nullptr) {
        api_->shutdown();
    }
}

Error Nvidia::failure(const std::string& attempt, nvml::Status status) const {
    return {Errc::unavailable, attempt + ": " + escaped(api_->error_string(status))};
}

Result<std::vector<DeviceReading>> Nvidia::read() const {
    unsigned count = 0;
    if (const auto status = api_->device_count(&count); status != nvml::success) {
        return failure("count NVIDIA devices", status);
    }
    std::vector<DeviceReading> readings;
    for (unsigned index = 0; index < count; ++index) {
        readings.push_back(read_one(index));
    }
    return readings;
}

DeviceReading Nvidia::read_one(unsigned index) const {
    DeviceReading reading;
    reading.device.kind = DeviceKind::nvidia;
    reading.device.id = "cuda" + std::to_string(index);
    reading.device.name = "NVIDIA GPU";
    reading.device.visible_as = std::to_string(index);
    nvml::Handle handle = nullptr;
    if (const auto status = api_->device_handle(index, &handle); status != nvml::success) {
        reading.error = failure("open NVIDIA device " + std::to_string(index), status);
        return reading;
    }
    Text text{};
    if (api_->device_name(handle, text.data(), nvml::text_size) == nvml::success) {
        reading.device.name = text_of(text);
    }
    text.fill(0);
    if (api_->device_uuid(handle, text.data(), nvml::text_size) == nvml::success) {
        reading.device.uuid = text_of(text);
        reading.device.visible_as = reading.device.uuid;
    }
    if (const auto status = read_memory(handle, reading); status != nvml::success) {
        reading.error = failure("read the memory of " + reading.device.id, status);
        return reading;
    }
    reading.processes = processes(handle);
    return reading;
}

nvml::Status Nvidia::read_memory(nvml::Handle handle, DeviceReading& reading) const {
    nvml::MemoryV2 memory_v2;
    memory_v2.version = nvml::memory_v2_version;
    if (api_->device_memory_v2 != nullptr &&
        api_->device_memory_v2(handle, &memory_v2) == nvml::success) {
        // What the driver keeps for itself can never be had: it is no part of the total.
        reading.total = memory_v2.total - std::min(memory_v2.reserved, memory_v2.total);
        reading.free = std::min<std::uint64_t>(memory_v2.free, reading.total);
        return nvml::success;
    }
    nvml::Memory memory;
    const auto status = api_->device_memory(handle, &memory);
    if (status == nvml::success) {
        reading.total = memory.total;
        reading.free = std::min(memory.free, memory.total);
    }
    return status;
}

/// Empty where the driver does not list them (no rights, a container, WSL): that is no error.
std::vector<DeviceProcess> Nvidia::processes(nvml::Handle handle) const {
    std::vector<DeviceProcess> listed;
    if (api_->compute_processes == nullptr) {
        return listed;
    }
    std::vector<nvml::Process> found(64);
    auto count = static_cast<unsigned>(found.size());
    auto status = api_->compute_processes(handle, &count, found.data());
    constexpr unsigned most = 4096;
    if (status == nvml::insufficient_size && count < most) {
        found.resize(count + 16);  // others may start meanwhile
        count = static_cast<unsigned>(found.size());
        status = api_->compute_processes(handle, &count, found.data());
    }
    if (status != nvml::success) {
        return listed;
    }
    found.resize(std::min<std::size_t>(count, found.size()));
    for (const auto& process : found) {
        DeviceProcess entry{static_cast<pid_t>(process.pid), std::nullopt};
        if (process.bytes != nvml::bytes_not_known) {
            entry.bytes = process.bytes;
        }
        listed.push_back(entry);
    }
    std::ranges::sort(listed, {}, &DeviceProcess::pid);
    return listed;
}

}  // namespace routerd
