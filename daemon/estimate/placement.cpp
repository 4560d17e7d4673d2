#include "daemon/estimate/placement.hpp"

#include <algorithm>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

std::uint64_t bytes_of_layer(const std::vector<std::uint64_t>& list, std::size_t index) {
    return index < list.size() ? list[index] : 0;
}

/// The GPU of the `number`th of `count` things that go to GPUs.
std::size_t gpu_of(const std::vector<GpuShare>& gpus, std::uint64_t number, std::uint64_t count) {
    double sum = 0;
    for (const auto& gpu : gpus) {
        sum += std::max(gpu.share, 0.0);
    }
    const auto position = static_cast<double>(number) / static_cast<double>(count);
    double end = 0;
    for (std::size_t i = 0; i + 1 < gpus.size(); ++i) {
        end +=
            sum > 0 ? std::max(gpus[i].share, 0.0) / sum : 1.0 / static_cast<double>(gpus.size());
        if (position < end) {
            return i;
        }
    }
    return gpus.size() - 1;
}

/// The weights of layer `i`, where the file's table did not say them an equal part of the rest.
std::uint64_t layer_bytes(const gguf::Metadata& model, std::size_t i, std::size_t layers) {
    if (!model.layer_bytes.empty() || layers == 0) {
        return bytes_of_layer(model.layer_bytes, i);
    }
    return sat_sub(model.tensor_bytes, sat_add(model.embedding_bytes, model.output_bytes)) / layers;
}

/// By how much the copies of `copied` bytes are larger, which are a part of all.
std::uint64_t extra_of(const gguf::Repacked& all, std::uint64_t copied) {
    std::uint64_t whole = all.output;
    for (const auto bytes : all.layers) {
        whole = sat_add(whole, bytes);
    }
    if (whole == 0) {
        return 0;
    }
    const auto share = static_cast<long double>(copied) / static_cast<long double>(whole);
    return static_cast<std::uint64_t>(static_cast<long double>(all.extra) * std::min(share, 1.0L));
}

}  // namespace

Placement place(const LaunchParameters& launch, std::size_t layers) {
    Placement placement;
    placement.layers.assign(layers, 0);
    if (launch.gpus.empty()) {
        return placement;
    }
    const std::uint64_t all = layers + 1;
    const auto count = std::min(launch.gpu_layers.value_or(all), all);
    const auto first = all - count;
    for (std::size_t i = 0; i < layers; ++i) {
        placement.layers[i] = i < first ? 0 : gpu_of(launch.gpus, i - first, count) + 1;
    }
    placement.output = count == 0 ? 0 : gpu_of(launch.gpus, layers - first, count) + 1;
    placement.gpu_layers = count;
    return placement;
}

std::vector<WeightBytes> place_weights(const gguf::Metadata& model, const LaunchParameters& launch,
                                       const Placement& placement) {
    std::vector<WeightBytes> devices(launch.gpus.size() + 1);
    auto& host = devices.front();
    const auto& copies = launch.tiles ? model.tiled : model.repacked;
    std::uint64_t repacked = 0;
    std::uint64_t placed = sat_add(model.embedding_bytes, model.output_bytes);
    for (std::size_t i = 0; i < placement.layers.size(); ++i) {
        const auto bytes = layer_bytes(model, i, placement.layers.size());
        const auto experts =
            i < launch.host_expert_layers ? bytes_of_layer(model.layer_expert_bytes, i) : 0;
        const bool is_repacked = placement.layers[i] == 0 && launch.repack;
        auto& device = devices[placement.layers[i]];
        device.bytes = sat_add(device.bytes, sat_sub(bytes, experts));
        host.bytes = sat_add(host.bytes, experts);
        repacked = sat_add(repacked, is_repacked ? bytes_of_layer(copies.layers, i) : 0);
        placed = sat_add(placed, bytes);
    }
    auto& output = devices[placement.output];
    const bool has_output = model.output_bytes != 0;
    const bool is_copied = !has_output && placement.output != 0;
    output.bytes = sat_add(output.bytes, is_copied ? model.embedding_bytes : model.output_bytes);
    // What is left is small: norms beside the output, factors of rotation.
    output.bytes = sat_add(output.bytes, sat_sub(model.tensor_bytes, placed));
    host.bytes = sat_add(host.bytes, model.embedding_bytes);
    const bool output_here = placement.output == 0 && launch.repack;
    repacked = sat_add(repacked, output_here && has_output ? copies.output : 0);
    // An embedding that is the output, too, stays as it is for looking up, and is copied besides.
    const auto second_copy = output_here && !has_output ? copies.output : 0;
    if (launch.mapped) {
        // Of what is repacked the copy is used. Its pages stay until the kernel wants them back,
        // but for those after the last tensor that is used in place: the server unmaps these.
        host.mapped = sat_sub(host.bytes, repacked);
        host.droppable = sat_sub(repacked, placement.gpu_layers == 0 ? copies.tail : 0);
    }
    host.bytes = sat_add(host.bytes, second_copy);
    host.bytes = sat_add(host.bytes, extra_of(copies, sat_add(repacked, second_copy)));
    return devices;
}

}  // namespace routerd
