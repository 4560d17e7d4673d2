#pragma once

#include <vector>

#include "common/base/result.hpp"
#include "daemon/devices/device.hpp"
#include "daemon/devices/nvml.hpp"

namespace routerd {

/// NVIDIA GPUs through an initialized NVML. Calls may take milliseconds (they go to the driver), so
/// they belong on a pool thread, one at a time. `api` must outlive it.
class Nvidia {
  public:
    /// Errors: unavailable, with the library's own words (a driver that does not match, no device
    /// node).
    static Result<Nvidia> open(const nvml::Api& api);

    Nvidia(Nvidia&& other) noexcept : api_(other.api_) { other.api_ = nullptr; }
    Nvidia& operator=(Nvidia&&) = delete;
    ~Nvidia();

    /// Every GPU, in the order of PCI addresses, each with its own error. Errors: unavailable when
    /// they cannot even be counted.
    Result<std::vector<DeviceReading>> read() const;

  private:
    explicit Nvidia(const nvml::Api& api) : api_(&api) {}

    DeviceReading read_one(unsigned index) const;
    nvml::Status read_memory(nvml::Handle handle, DeviceReading& reading) const;
    std::vector<DeviceProcess> processes(nvml::Handle handle) const;
    Error failure(const std::string& attempt, nvml::Status status) const;

    const nvml::Api* api_;  // null once moved from
};

}  // namespace routerd
