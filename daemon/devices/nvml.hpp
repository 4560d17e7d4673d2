#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"

namespace routerd {

/// The part of NVIDIA's management library that is used here, as its documented C ABI (NVML API
/// Reference Guide: Device Queries, Structs); the driver installs the library, and no header is
/// needed to build. Layouts and numbers are the library's and are kept stable by it.
namespace nvml {

using Status = int;
constexpr Status success = 0;
constexpr Status not_supported = 3;
constexpr Status insufficient_size = 7;

using Handle = void*;  ///< nvmlDevice_t

/// nvmlMemory_t. `used` includes what the driver keeps for itself.
struct Memory {
    unsigned long long total = 0;
    unsigned long long free = 0;
    unsigned long long used = 0;
};

/// nvmlMemory_v2_t. `version` must be memory_v2_version.
struct MemoryV2 {
    unsigned version = 0;
    unsigned long long total = 0;
    unsigned long long reserved = 0;  ///< by the driver and firmware
    unsigned long long free = 0;
    unsigned long long used = 0;
};
constexpr unsigned memory_v2_version = sizeof(MemoryV2) | (2U << 24U);

/// nvmlProcessInfo_t since nvmlDeviceGetComputeRunningProcesses_v2.
struct Process {
    unsigned pid = 0;
    unsigned long long bytes = 0;  ///< bytes_not_known where the driver cannot tell
    unsigned gpu_instance = 0;
    unsigned compute_instance = 0;
};
constexpr unsigned long long bytes_not_known = ~0ULL;

constexpr unsigned text_size = 96;  ///< NVML_DEVICE_NAME_V2_BUFFER_SIZE; uuids are shorter

/// The functions, by their names without "nvml". Those that say so may be absent in an old library.
struct Api {
    Status (*init)() = nullptr;
    Status (*shutdown)() = nullptr;
    const char* (*error_string)(Status) = nullptr;
    Status (*device_count)(unsigned*) = nullptr;
    Status (*device_handle)(unsigned index, Handle*) = nullptr;
    Status (*device_name)(Handle, char*, unsigned size) = nullptr;
    Status (*device_uuid)(Handle, char*, unsigned size) = nullptr;
    Status (*device_memory)(Handle, Memory*) = nullptr;
    Status (*device_memory_v2)(Handle, MemoryV2*) = nullptr;                   ///< may be null
    Status (*compute_processes)(Handle, unsigned* count, Process*) = nullptr;  ///< may be null
};

}  // namespace nvml

/// The loaded library. Unloads it when destroyed: nothing of `api` may be called after that.
class NvmlLibrary {
  public:
    /// Errors: not_found when the machine has no such library, which is usual; unavailable when it
    /// is there and cannot be used.
    static Result<NvmlLibrary> load(const std::string& name = "libnvidia-ml.so.1");

    const nvml::Api& api() const noexcept { return api_; }

  private:
    struct Unload {
        void operator()(void* library) const noexcept;
    };

    std::unique_ptr<void, Unload> library_;
    nvml::Api api_;
};

}  // namespace routerd
