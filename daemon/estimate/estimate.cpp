#include "daemon/estimate/estimate.hpp"

#include <algorithm>

#include "daemon/estimate/cache.hpp"
#include "daemon/estimate/compute.hpp"
#include "daemon/estimate/model_shape.hpp"
#include "daemon/estimate/placement.hpp"
#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

// Measured on build 11669 for the CPU: the program, its libraries and threads with a model of no
// size; and what the tables of the vocabulary add per token (strings, both directions; merges).
constexpr std::uint64_t program_bytes = 22ULL << 20U;
constexpr std::uint64_t bytes_of_token = 180;
constexpr std::uint64_t bytes_of_merge = 120;
// A GPU's context and kernels. They differ by driver and GPU and no formula tells them: a first
// guess on the safe side, which the process's real figures replace after the first load.
constexpr std::uint64_t gpu_context_bytes = 400ULL << 20U;
constexpr std::uint64_t gpu_program_bytes = 160ULL << 20U;  // the same, on the host

std::uint64_t vocabulary_bytes(const gguf::Metadata& model) {
    const bool has_merges = model.tokenizer == "gpt2";
    return sat_mul(model.vocab_size, bytes_of_token + (has_merges ? bytes_of_merge : 0));
}

/// The parts that go with layers: caches, states and their share of adapters.
void add_layers(std::vector<DeviceNeed>& devices, const ModelShape& shape, const CacheCells& cells,
                const LaunchParameters& launch, const Placement& placement) {
    for (std::size_t i = 0; i < shape.layers.size(); ++i) {
        const auto& layer = shape.layers[i];
        auto& cache = devices[launch.cache_with_layers ? placement.layers[i] : 0].bytes;
        cache.kv = sat_add(cache.kv, kv_bytes(layer, cells, launch));
        cache.recurrent = sat_add(cache.recurrent, state_bytes(layer, launch));
        auto& weights = devices[placement.layers[i]].bytes;
        weights.lora = sat_add(weights.lora, launch.lora_bytes / shape.layers.size());
    }
}

void add_compute(std::vector<DeviceNeed>& devices, const ModelShape& shape, const CacheCells& cells,
                 const LaunchParameters& launch, const Placement& placement) {
    const auto has_layer = [&placement](std::size_t device) {
        return std::ranges::find(placement.layers, device) != placement.layers.end() ||
               placement.output == device;
    };
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (has_layer(i)) {
            devices[i].bytes.compute = compute_bytes(shape, cells, launch);
        } else if (i == 0) {
            devices[i].bytes.compute = input_bytes(shape, cells, launch);
        }
    }
    devices.front().bytes.output = output_bytes(shape, launch);
}

void add_overhead(std::vector<DeviceNeed>& devices, const gguf::Metadata& model,
                  const ModelShape& shape, const CacheCells& cells) {
    auto& host = devices.front().bytes;
    host.overhead = sat_add(program_bytes, vocabulary_bytes(model), cell_table_bytes(shape, cells));
    if (devices.size() > 1) {
        host.overhead = sat_add(host.overhead, gpu_program_bytes);
    }
    for (std::size_t i = 1; i < devices.size(); ++i) {
        devices[i].bytes.overhead = gpu_context_bytes;
    }
}

/// A projector lies on the first GPU if there is one, and is read into memory, not mapped.
void add_projector(std::vector<DeviceNeed>& devices, const gguf::Metadata& mmproj) {
    auto& bytes = devices[devices.size() > 1 ? 1 : 0].bytes;
    bytes.mmproj = sat_add(mmproj.tensor_bytes, projector_compute_bytes(mmproj));
}

}  // namespace

std::uint64_t DeviceBytes::total() const noexcept {
    return sat_add(weights, kv, recurrent, compute, output, mmproj, lora, overhead);
}

const DeviceNeed* Estimate::find(std::string_view device) const {
    const auto found = std::ranges::find(devices, device, &DeviceNeed::device);
    return found == devices.end() ? nullptr : &*found;
}

std::uint64_t Estimate::total() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& need : devices) {
        sum = sat_add(sum, need.bytes.total());
    }
    return sum;
}

std::uint64_t Estimate::resident() const noexcept {
    return devices.empty() ? 0 : sat_add(devices.front().bytes.total(), droppable);
}

Estimate estimate_memory(const gguf::Metadata& model, const LaunchParameters& launch,
                         const gguf::Metadata* mmproj) {
    const auto shape = shape_of(model);
    const auto cells = cells_of(shape, launch, model.context_length);
    const auto placement = place(launch, shape.layers.size());

    Estimate estimate;
    estimate.context_per_slot = cells.context_per_slot;
    estimate.gpu_layers = placement.gpu_layers;
    estimate.devices.push_back({"host", {}});
    for (const auto& gpu : launch.gpus) {
        estimate.devices.push_back({gpu.device, {}});
    }
    const auto weights = place_weights(model, launch, placement);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        estimate.devices[i].bytes.weights = weights[i].bytes;
    }
    estimate.mapped = weights.front().mapped;
    estimate.droppable = weights.front().droppable;
    add_layers(estimate.devices, shape, cells, launch, placement);
    add_compute(estimate.devices, shape, cells, launch, placement);
    add_overhead(estimate.devices, model, shape, cells);
    if (mmproj != nullptr) {
        add_projector(estimate.devices, *mmproj);
    }
    estimate.growth.prompt_cache = launch.prompt_cache;
    estimate.growth.checkpoints =
        sat_mul(checkpoint_bytes(shape, cells, launch), launch.checkpoints, launch.slots);
    return estimate;
}

}  // namespace routerd
