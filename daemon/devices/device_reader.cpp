#include "daemon/devices/device_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/devices/amd.hpp"
#include "daemon/devices/host.hpp"

namespace routerd {

std::string_view to_string(DeviceKind kind) noexcept {
    switch (kind) {
        case DeviceKind::host:
            return "host";
        case DeviceKind::nvidia:
            return "nvidia";
        case DeviceKind::amd:
            break;
    }
    return "amd";
}

const DeviceReading* DeviceReadings::find(std::string_view id) const {
    const auto found = std::ranges::find_if(
        devices, [id](const DeviceReading& reading) { return reading.device.id == id; });
    return found == devices.end() ? nullptr : &*found;
}

DeviceReader::DeviceReader(Roots roots, std::string nvml_name)
    : roots_(std::move(roots)), nvml_name_(std::move(nvml_name)) {}

DeviceReader::DeviceReader(Roots roots, const nvml::Api& api)
    : roots_(std::move(roots)), api_(&api) {}

void DeviceReader::open_nvidia(std::vector<Error>& problems) {
    if (nvidia_) {
        return;
    }
    if (api_ == nullptr) {
        auto loaded = NvmlLibrary::load(nvml_name_);
        if (!loaded) {
            if (loaded.error().code() != Errc::not_found) {
                problems.push_back(loaded.error());
            }
            return;
        }
        library_.emplace(std::move(*loaded));
        api_ = &library_->api();
    }
    auto opened = Nvidia::open(*api_);
    if (!opened) {
        problems.push_back(opened.error());
        return;
    }
    nvidia_.emplace(std::move(*opened));
}

DeviceReadings DeviceReader::read(const std::vector<pid_t>& pids) {
    DeviceReadings readings;
    readings.devices.push_back(read_host(roots_));
    open_nvidia(readings.problems);
    const auto add = [&readings](std::vector<DeviceReading>&& more) {
        std::ranges::move(more, std::back_inserter(readings.devices));
    };
    if (nvidia_) {
        auto found = nvidia_->read();
        if (found) {
            add(std::move(*found));
        } else {
            readings.problems.push_back(found.error());
            nvidia_.reset();  // the driver was reloaded: begin again next time
        }
    }
    add(read_amd(roots_, pids));
    return readings;
}

}  // namespace routerd
