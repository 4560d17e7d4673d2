#include "daemon/estimate/compute.hpp"

#include <algorithm>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

/// Tokens in a batch: never more than there is room for.
std::uint64_t tokens_of(const CacheCells& cells, const LaunchParameters& launch) {
    const auto context = sat_mul(cells.context_per_slot, cells.streams);
    return context == 0 ? launch.ubatch : std::min(launch.ubatch, context);
}

std::uint64_t mask_bytes(const ModelShape& shape, const CacheCells& cells,
                         const LaunchParameters& launch) {
    if (!shape.has_attention()) {
        return 0;
    }
    // Each stream's mask has its own part of the batch: together they have all of it.
    const auto streams = std::max<std::uint64_t>(cells.streams, 1);
    const auto tokens = sat_mul(round_up(tokens_of(cells, launch), streams) / streams, streams);
    const std::uint64_t element = launch.flash_attention ? 2 : 4;
    return sat_mul(tokens, sat_add(cells.full, cells.sliding), element);
}

/// Elements a token of the widest step of `layer`.
std::uint64_t widest_step(const ModelShape& shape, const LayerShape& layer, const CacheCells& cells,
                          const LaunchParameters& launch) {
    const auto width = shape.width;
    const auto feed_forward = sat_add(sat_mul(3, layer.feed_forward), sat_mul(5, width));
    const auto experts = sat_add(sat_mul(2, width, shape.experts_used), sat_mul(3, width));
    const auto state = layer.state == 0 ? 0 : sat_add(sat_mul(7, shape.inner), width);
    const auto queries = sat_mul(layer.heads, layer.key_length);
    const auto keys = sat_mul(layer.kv_heads, layer.key_length);
    const auto values = sat_mul(layer.kv_heads, layer.value_length);
    auto attention = std::max(sat_add(sat_mul(2, queries), keys, values, sat_mul(3, width)),
                              sat_add(queries, sat_mul(3, keys), values, width));
    if (!launch.flash_attention && layer.kv_heads != 0) {
        const auto scores = sat_mul(layer.heads, layer.slides ? cells.sliding : cells.full);
        attention = sat_add(scores, sat_mul(2, queries), sat_mul(2, keys), sat_mul(5, width));
    }
    return std::max({feed_forward, experts, state, attention});
}

}  // namespace

std::uint64_t compute_bytes(const ModelShape& shape, const CacheCells& cells,
                            const LaunchParameters& launch) {
    std::uint64_t widest = 0;
    for (const auto& layer : shape.layers) {
        widest = std::max(widest, widest_step(shape, layer, cells, launch));
    }
    if (launch.all_outputs) {
        widest = std::max(widest, sat_add(shape.vocabulary, sat_mul(6, shape.width)));
    }
    return sat_add(sat_mul(tokens_of(cells, launch), widest, f32_bytes),
                   mask_bytes(shape, cells, launch));
}

std::uint64_t input_bytes(const ModelShape& shape, const CacheCells& cells,
                          const LaunchParameters& launch) {
    return sat_add(sat_mul(tokens_of(cells, launch), shape.width, f32_bytes),
                   mask_bytes(shape, cells, launch));
}

std::uint64_t output_bytes(const ModelShape& shape, const LaunchParameters& launch) {
    return sat_mul(std::max<std::uint64_t>(launch.slots, 1), shape.vocabulary, f32_bytes);
}

std::uint64_t projector_compute_bytes(const gguf::Metadata& mmproj) {
    if (mmproj.vision_patch_size == 0) {
        return 0;
    }
    const auto side = mmproj.vision_image_size / mmproj.vision_patch_size;
    const auto patches = sat_mul(side, side);
    const auto step = sat_add(sat_mul(3, mmproj.vision_feed_forward_length),
                              sat_mul(5, mmproj.vision_embedding_length));
    const auto scores = sat_mul(patches, mmproj.vision_head_count);
    return sat_mul(patches, sat_add(step, scores), f32_bytes);
}

}  // namespace routerd
