#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/base/error.hpp"

namespace routerd {

enum class DeviceKind { host, nvidia, amd };

/// "host", "nvidia", "amd": the words of the APIs.
std::string_view to_string(DeviceKind kind) noexcept;

/// Something with memory of its own that a model can be put into. Stays the same while the machine
/// runs.
struct Device {
    /// "host", "cuda0", "rocm0": the key of [memory] reserve and budget. GPUs are counted in the
    /// order of their PCI addresses, as the server counts them with CUDA_DEVICE_ORDER=PCI_BUS_ID.
    std::string id;
    DeviceKind kind = DeviceKind::host;
    std::string name;  ///< "NVIDIA L40S"; for people
    std::string uuid;  ///< NVML's uuid, or the PCI address; empty for the host
    /// What CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES know it by: a uuid, else its number.
    std::string visible_as{};

    bool operator==(const Device&) const = default;
};

/// One process on a device that is not the host.
struct DeviceProcess {
    pid_t pid = 0;
    std::optional<std::uint64_t> bytes;  ///< nullopt: it is there, the driver does not say how big

    bool operator==(const DeviceProcess&) const = default;
};

/// What a device said at one moment. With an error the figures are zero and mean nothing.
struct DeviceReading {
    Device device;
    std::uint64_t total = 0;  ///< bytes; of the host the tightest of its memory and cgroup limits
    /// Bytes that can be had now. Of the host this counts the page cache, and with it the mapped
    /// weights of running models: what those need must be taken off by whoever knows them.
    std::uint64_t free = 0;
    std::uint64_t shared_total = 0;  ///< host memory that the GPU can map (AMD's GTT), else 0
    std::uint64_t shared_used = 0;
    std::string limited_by;                ///< the cgroup that sets `total`; empty: the machine
    std::vector<DeviceProcess> processes;  ///< by process id; empty where the device cannot say
    std::optional<Error> error;            ///< why it could not be read; others are not concerned
};

}  // namespace routerd
