#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace routerd::api {

/// Body of POST estimate; what is null is as configured.
struct EstimateRequest {
    std::string model;                      ///< id or alias
    std::optional<unsigned> context;        ///< tokens of a slot
    std::optional<unsigned> parallel;       ///< slots
    std::optional<std::string> cache_type;  ///< of keys and values: f16, q8_0, …
};

/// What a load would need on one device.
struct DeviceEstimate {
    std::string device;  ///< "host", "cuda0"
    std::uint64_t weights_bytes = 0;
    std::uint64_t kv_bytes = 0;  ///< keys and values of attention, states of recurrent layers
    std::uint64_t compute_bytes = 0;
    std::uint64_t mmproj_bytes = 0;
    std::uint64_t other_bytes = 0;   ///< outputs, adapters, the program itself
    std::uint64_t needed_bytes = 0;  ///< what would be reserved: the sum, with the safety factor
    std::uint64_t free_bytes = 0;    ///< now, without evicting anything
    std::uint64_t usable_bytes = 0;  ///< by models, on the empty machine
};

/// A server that would have to make room.
struct EstimateEviction {
    std::uint64_t instance = 0;
    std::string model;  ///< id
    std::string reason;
};

/// What a load would need and do.
struct Estimate {
    std::string model;                   ///< id
    std::string verdict;                 ///< loaded, fits, evicts, waits, would_not_fit, unknown
    std::string reason;                  ///< of the verdict, in words
    std::uint64_t context_per_slot = 0;  ///< tokens; 0: not known
    unsigned slots = 1;
    std::uint64_t gpu_layers = 0;
    bool learned = false;            ///< corrected by what a load of it was seen to take
    std::uint64_t growth_bytes = 0;  ///< of host memory that requests may add later
    std::vector<DeviceEstimate> devices;
    std::vector<EstimateEviction> evict;
};

}  // namespace routerd::api
