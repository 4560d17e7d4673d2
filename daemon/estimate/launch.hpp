#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/devices/device.hpp"

namespace routerd {

/// How the elements of a cache are packed.
struct CacheType {
    std::uint64_t block = 1;  ///< elements in a block
    std::uint64_t bytes = 2;  ///< of a block

    /// Bytes of a row of `elements`, which llama.cpp pads to whole blocks.
    std::uint64_t row_bytes(std::uint64_t elements) const noexcept;

    bool operator==(const CacheType&) const = default;
};

/// For the names of llama-server's -ctk and -ctv: "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1",
/// "iq4_nl", "q5_0", "q5_1". nullopt: no such type.
std::optional<CacheType> cache_type(std::string_view name) noexcept;

/// A GPU that takes part of a model.
struct GpuShare {
    std::string device;  ///< "cuda0"
    double share = 1;    ///< its part of the layers that go to GPUs, in proportion to the others'
};

/// The GPUs that a server shall use, as it is told at its start.
struct DevicePlan {
    struct Gpu {
        std::string device;  ///< "cuda0"
        DeviceKind kind = DeviceKind::nvidia;
        std::string visible_as;   ///< what its runtime knows it by: a uuid, a number
        std::uint64_t share = 1;  ///< its part of the layers, in proportion to the others'

        bool operator==(const Gpu&) const = default;
    };
    /// Of GPUs that the machine has, and the server could use: each kind is told what of it to use,
    /// which may be nothing.
    std::set<DeviceKind> kinds;
    /// Whether the router chose, and says it. Not on a machine without GPUs, nor where the user's
    /// own arguments say what is used: then the rest is how they are understood.
    bool decided = false;
    std::vector<Gpu> gpus;                    ///< in the server's order; none: host only
    std::optional<std::uint64_t> gpu_layers;  ///< the output counts as one; absent: all

    bool operator==(const DevicePlan&) const = default;
};

/// Who says which GPUs a server uses and what it puts there.
enum class Placed {
    by_router,     ///< within what [model."id"] devices and gpu_layers leave open
    by_arguments,  ///< the user's arguments, which LaunchParameters tells
    unreadable,    ///< the user's arguments or variables, in a way that is not understood
};

/// Everything about a start of llama.cpp's server that its memory depends on; the defaults are the
/// server's own (llama-server --help). The name in brackets is its option.
struct LaunchParameters {
    std::uint64_t context =
        0;                    ///< tokens of all slots together [-c]; 0: the model's, for each slot
    std::uint64_t slots = 1;  ///< [-np]
    bool unified = false;     ///< one cache shared by all slots [-kvu]
    CacheType key_type;       ///< [-ctk]
    CacheType value_type;     ///< [-ctv]
    std::uint64_t batch = 2048;     ///< tokens [-b]
    std::uint64_t ubatch = 512;     ///< tokens computed at a time [-ub]
    bool flash_attention = true;    ///< [-fa]; its "auto" is on wherever the device can
    bool sliding_full = false;      ///< whole cache for layers that slide, too [--swa-full]
    bool cache_with_layers = true;  ///< a layer's cache lies where its weights do [-kvo]
    bool all_outputs = false;       ///< embeddings and reranking: an output for every token
    std::optional<std::uint64_t> gpu_layers;  ///< from the end, the output counts as one [-ngl]
    std::uint64_t host_expert_layers = 0;     ///< experts of the first n stay on the host [-ncmoe]
    bool mapped = true;                       ///< weights are pages of the file [-lm]
    bool repack = true;                       ///< [--repack]
    bool tiles = false;                       ///< the processor has some, see gguf::WeightSums
    std::uint64_t checkpoints = 32;           ///< of a slot's state [--ctx-checkpoints]
    std::uint64_t prompt_cache = 8192ULL << 20U;  ///< bytes [--cache-ram]
    std::vector<GpuShare> gpus;                   ///< none: all on the host
    std::uint64_t lora_bytes = 0;                 ///< tensors of all adapters

    // What the router must know besides, to choose `gpus`; no part of fingerprint().
    std::string program;  ///< path: builds differ in what GPUs they can use
    Placed placed = Placed::by_router;
    /// Devices that it may use, as written but in lower case; empty: none [-dev]; absent: all.
    std::optional<std::vector<std::string>> devices;
};

}  // namespace routerd
