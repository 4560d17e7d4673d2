#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/base/error.hpp"
#include "daemon/devices/cgroup.hpp"
#include "daemon/devices/device.hpp"
#include "daemon/devices/nvidia.hpp"
#include "daemon/devices/nvml.hpp"

namespace routerd {

/// All devices at one moment.
struct DeviceReadings {
    std::vector<DeviceReading> devices;  ///< the host first, then NVIDIA, then AMD
    /// A whole kind that could not be looked for (a driver that does not match its library). A
    /// machine that simply has none says nothing here.
    std::vector<Error> problems;

    const DeviceReading* find(std::string_view id) const;
};

/// Reads every device of the machine. Owned by App; read() blocks for milliseconds and belongs on a
/// pool thread, one call at a time. A kind that could not be opened is tried again by each read().
class DeviceReader {
  public:
    explicit DeviceReader(Roots roots = {}, std::string nvml_name = "libnvidia-ml.so.1");

    /// With a library that is already there: tests bring their own. `api` must outlive the reader.
    DeviceReader(Roots roots, const nvml::Api& api);

    /// `pids`: our own servers, for devices that tell a process's memory only by its descriptors.
    DeviceReadings read(const std::vector<pid_t>& pids = {});

  private:
    void open_nvidia(std::vector<Error>& problems);

    Roots roots_;
    std::string nvml_name_;
    std::optional<NvmlLibrary> library_;
    const nvml::Api* api_ = nullptr;
    std::optional<Nvidia> nvidia_;  // before the library in destruction
};

}  // namespace routerd
