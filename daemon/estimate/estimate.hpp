#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/estimate/launch.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// What a model's server needs on one device while it works, bytes. These are what a ledger
/// reserves. On the host a part is in RAM only once it was touched: compute buffers by the first
/// long prompt, the caches at load.
struct DeviceBytes {
    std::uint64_t weights = 0;
    std::uint64_t kv = 0;         ///< keys and values of attention
    std::uint64_t recurrent = 0;  ///< states of recurrent layers
    std::uint64_t compute = 0;    ///< intermediate results, at the largest batch and full context
    std::uint64_t output = 0;     ///< logits and embeddings handed out
    std::uint64_t mmproj = 0;     ///< projector: its weights and what it computes with
    std::uint64_t lora = 0;
    std::uint64_t overhead = 0;  ///< program, libraries, vocabulary, a GPU's context

    std::uint64_t total() const noexcept;
    bool operator==(const DeviceBytes&) const = default;
};

struct DeviceNeed {
    std::string device;  ///< "host", "cuda0": Device::id
    DeviceBytes bytes;

    bool operator==(const DeviceNeed&) const = default;
};

/// What may come on top later, host memory, only as requests make it grow.
struct Growth {
    std::uint64_t checkpoints = 0;   ///< states kept to go back to, all slots
    std::uint64_t prompt_cache = 0;  ///< limit of the cache of prompts that left their slot

    bool operator==(const Growth&) const = default;
};

/// The memory of one server: what it needs on each device, and what a look at the process will
/// show besides.
struct Estimate {
    std::vector<DeviceNeed> devices;  ///< the host first, then the GPUs that get a part
    /// Of the host's weights: pages of the model's file. The kernel counts them as available memory
    /// and shares them between servers of one file.
    std::uint64_t mapped = 0;
    /// Pages of the file on the host that are read once, at load, and dropped when somebody needs
    /// the room: part of the process's resident size, not of what it needs.
    std::uint64_t droppable = 0;
    Growth growth;
    std::uint64_t context_per_slot = 0;  ///< tokens, as the server will round them
    std::uint64_t gpu_layers = 0;        ///< layers on GPUs, the output counted as one

    const DeviceNeed* find(std::string_view device) const;
    std::uint64_t total() const noexcept;  ///< of all devices

    /// The resident size that the process comes to at work: the host's total and `droppable`.
    std::uint64_t resident() const noexcept;

    bool operator==(const Estimate&) const = default;
};

/// Computes it from what the file says, after the rules of llama.cpp; what each formula stands on
/// is told where it is written (cache.hpp, compute.hpp, placement.hpp). `mmproj` is the projector's
/// metadata, or null. Pure; microseconds.
Estimate estimate_memory(const gguf::Metadata& model, const LaunchParameters& launch,
                         const gguf::Metadata* mmproj = nullptr);

}  // namespace routerd
