#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/estimate/estimate.hpp"

namespace routerd {

/// What one load of a model was seen to take. Everything that is not known is absent: a server that
/// logs little, a device that does not tell a process's memory.
struct Observed {
    /// A part as the server's log names it; a part of 0 bytes was not named.
    std::vector<DeviceNeed> logged;
    /// The host's resident size once the server was ready, before its first request: all but the
    /// compute buffers was touched by then.
    std::optional<std::uint64_t> ready_resident;
    /// The most that the resident size ever was. Set it only after requests.
    std::optional<std::uint64_t> peak_resident;
    struct Held {
        std::string device;  ///< a GPU
        std::uint64_t bytes = 0;
    };
    std::vector<Held> held;  ///< what devices say that the process has on them
};

/// What was predicted and what it really was, device by device. A plain value, to be kept under
/// the fingerprint of the model and its parameters, or of the model alone.
struct Correction {
    struct Device {
        std::string device;
        DeviceBytes predicted;
        DeviceBytes measured;

        bool operator==(const Device&) const = default;
    };
    std::vector<Device> devices;

    bool operator==(const Correction&) const = default;
};

/// Compares an uncorrected estimate with what its load took. What the log did not name is taken as
/// predicted; what the process has beyond all parts is overhead.
Correction learn(const Estimate& predicted, const Observed& observed);

/// `fresh` (an uncorrected estimate) with each part scaled as the correction found it: for the same
/// parameters exactly what was measured, for others of the same model in proportion. Devices that
/// the correction does not know stay as they are.
Estimate corrected(const Estimate& fresh, const Correction& correction);

/// Tells models apart by what their memory depends on: the same for copies of one file.
std::string fingerprint(const gguf::Metadata& model);

/// The same with all parameters of the launch.
std::string fingerprint(const gguf::Metadata& model, const LaunchParameters& launch);

}  // namespace routerd
