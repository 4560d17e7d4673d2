#pragma once

#include <cstdint>

#include "daemon/estimate/launch.hpp"
#include "daemon/estimate/model_shape.hpp"

namespace routerd {

constexpr std::uint64_t f32_bytes = 4;  ///< of one element of what is computed with

/// How many tokens the caches hold. A cell is a token's place in them; a stream is a cache of its
/// own: one for each slot, or one for all when unified.
///
/// llama-context.cpp: the context is rounded up to 256; without a unified cache each sequence gets
/// its part, rounded up to 256 again. llama-kv-cache-iswa.cpp: layers that slide get
/// window (times slots when unified) + ubatch cells, rounded up to 256, never more than the others.
/// server: without -c each slot gets the context that the model was trained for (common/fit.cpp);
/// with a unified cache all of them share it.
struct CacheCells {
    std::uint64_t streams = 1;
    std::uint64_t full = 0;     ///< cells of a stream
    std::uint64_t sliding = 0;  ///< cells of a stream in layers that slide
    std::uint64_t context_per_slot = 0;
};

CacheCells cells_of(const ModelShape& shape, const LaunchParameters& launch,
                    std::uint64_t trained_context);

/// Bytes of keys and values of one layer, all streams: per cell a row of kv_heads * key_length and
/// one of kv_heads * value_length (llama-kv-cache.cpp).
std::uint64_t kv_bytes(const LayerShape& layer, const CacheCells& cells,
                       const LaunchParameters& launch);

/// Bytes of one layer's recurrent state: f32, for each slot (llama-memory-recurrent.cpp).
std::uint64_t state_bytes(const LayerShape& layer, const LaunchParameters& launch);

/// Bytes that one checkpoint of one slot takes at most: what cannot be computed back to, which is
/// the window of layers that slide, and the recurrent state (tools/server, context checkpoints).
std::uint64_t checkpoint_bytes(const ModelShape& shape, const CacheCells& cells,
                               const LaunchParameters& launch);

/// Bookkeeping of cells on the host: position, sequences, shift of each (llama-kv-cells.h).
std::uint64_t cell_table_bytes(const ModelShape& shape, const CacheCells& cells);

}  // namespace routerd
