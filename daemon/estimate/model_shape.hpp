#pragma once

#include <cstdint>
#include <vector>

#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// One layer as far as memory is concerned.
struct LayerShape {
    std::uint64_t heads = 0;
    std::uint64_t kv_heads = 0;  ///< 0: it keeps no keys and values
    std::uint64_t key_length = 0;
    std::uint64_t value_length = 0;  ///< cached beside a key of `key_length`; 0: keys alone
    std::uint64_t feed_forward = 0;  ///< elements for a token: of all experts that it uses
    bool slides = false;             ///< sees a window only
    std::uint64_t state = 0;         ///< elements of recurrent state for a sequence; 0: none
};

/// A model's layers, with the gaps in its metadata filled as llama.cpp fills them
/// (llama-model.cpp, load_hparams). At most 1024 layers.
struct ModelShape {
    std::uint64_t width = 0;  ///< embedding length
    std::uint64_t vocabulary = 0;
    std::uint64_t window = 0;  ///< tokens that a sliding layer sees; 0: none slides
    std::uint64_t inner = 0;   ///< width inside a recurrent layer; 0: no recurrent layer
    std::uint64_t experts_used = 0;
    std::vector<LayerShape> layers;

    bool has_attention() const noexcept;
    bool has_state() const noexcept;
};

ModelShape shape_of(const gguf::Metadata& model);

}  // namespace routerd
