#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/api/list.hpp"

namespace routerd::api {

/// A server that has memory reserved on a device.
struct DeviceHolder {
    std::uint64_t instance = 0;
    std::string model;  ///< id
    std::string state;  ///< starting, loading, ready, draining, stopping
    std::uint64_t reserved_bytes = 0;
};

/// A device and who has its memory: one row of `routerctl memory`.
struct DeviceMemory {
    std::string device;  ///< "host", "cuda0"
    std::string kind;    ///< host, nvidia, amd
    std::string name;    ///< "NVIDIA L40S"; empty for the host
    std::uint64_t total_bytes = 0;
    std::uint64_t usable_bytes = 0;    ///< by models: total or budget, less the reserve
    std::uint64_t foreign_bytes = 0;   ///< of that, what processes of others use
    std::uint64_t reserved_bytes = 0;  ///< of that, what servers of models hold
    std::uint64_t free_bytes = 0;      ///< what another model may still have
    std::vector<DeviceHolder> models;
    std::string error;  ///< why it could not be read last; the figures are those before
};

using DeviceMemoryList = List<DeviceMemory>;

}  // namespace routerd::api
