#include "daemon/estimate/cache.hpp"

#include <algorithm>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

constexpr std::uint64_t padding = 256;
// Two 4-byte numbers, a 2-D position and a set of 256 sequences.
constexpr std::uint64_t bytes_of_cell = 48;

std::uint64_t row_bytes(const LayerShape& layer, const LaunchParameters& launch) {
    return sat_add(launch.key_type.row_bytes(sat_mul(layer.kv_heads, layer.key_length)),
                   launch.value_type.row_bytes(sat_mul(layer.kv_heads, layer.value_length)));
}

}  // namespace

CacheCells cells_of(const ModelShape& shape, const LaunchParameters& launch,
                    std::uint64_t trained_context) {
    const auto slots = std::max<std::uint64_t>(launch.slots, 1);
    CacheCells cells;
    auto context = launch.context;
    if (context == 0) {
        context = launch.unified ? trained_context : sat_mul(trained_context, slots);
    }
    context = round_up(context, padding);
    cells.streams = launch.unified ? 1 : slots;
    cells.full = launch.unified ? context : round_up(context / slots, padding);
    cells.context_per_slot = cells.full;
    if (shape.window != 0) {
        const auto windows = sat_mul(shape.window, launch.unified ? slots : 1);
        cells.sliding = std::min(cells.full, round_up(sat_add(windows, launch.ubatch), padding));
        cells.sliding = launch.sliding_full ? cells.full : cells.sliding;
    }
    return cells;
}

std::uint64_t kv_bytes(const LayerShape& layer, const CacheCells& cells,
                       const LaunchParameters& launch) {
    const auto stream = layer.slides ? cells.sliding : cells.full;
    return sat_mul(row_bytes(layer, launch), stream, cells.streams);
}

std::uint64_t state_bytes(const LayerShape& layer, const LaunchParameters& launch) {
    return sat_mul(layer.state, f32_bytes, std::max<std::uint64_t>(launch.slots, 1));
}

std::uint64_t checkpoint_bytes(const ModelShape& shape, const CacheCells& cells,
                               const LaunchParameters& launch) {
    std::uint64_t bytes = 0;
    const auto window = std::min(sat_add(shape.window, launch.ubatch), cells.sliding);
    for (const auto& layer : shape.layers) {
        const auto kept = layer.slides ? sat_mul(row_bytes(layer, launch), window) : 0;
        bytes = sat_add(bytes, kept, sat_mul(layer.state, f32_bytes));
    }
    return bytes;
}

std::uint64_t cell_table_bytes(const ModelShape& shape, const CacheCells& cells) {
    if (!shape.has_attention()) {
        return 0;
    }
    return sat_mul(sat_add(cells.full, cells.sliding), cells.streams, bytes_of_cell);
}

}  // namespace routerd
