#pragma once

#include <cstdint>

#include "daemon/estimate/cache.hpp"
#include "daemon/estimate/launch.hpp"
#include "daemon/estimate/model_shape.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// Bytes of the buffer in which a device computes one batch of `ubatch` tokens.
///
/// llama.cpp lays all intermediate results of its largest graph into one buffer and reuses what is
/// no longer needed (ggml-alloc.c), so the peak of one layer counts, not the sum. The terms are
/// those of the layer's widest step, each 4 bytes a token: feed-forward (gate, up and their
/// product, and five of the model's width), attention (queries, keys and values before and after
/// rotation; without flash attention all scores), experts (their outputs), recurrent layers. Masks
/// come on top: ubatch times cells, 2 bytes, or 4 without flash attention. The counts of buffers
/// are measured: "compute buffer size" of build 11669 over the models of tests/bench/estimate.py.
std::uint64_t compute_bytes(const ModelShape& shape, const CacheCells& cells,
                            const LaunchParameters& launch);

/// The host's part when all layers are on GPUs: what goes in, the masks first of all.
std::uint64_t input_bytes(const ModelShape& shape, const CacheCells& cells,
                          const LaunchParameters& launch);

/// Logits of the tokens that are sampled from, one a slot, kept on the host (llama-context.cpp,
/// output_reserve).
std::uint64_t output_bytes(const ModelShape& shape, const LaunchParameters& launch);

/// What a projector computes one image with: its patches through the widest step of a layer, all
/// scores of attention included (clip.cpp has no flash attention on every device).
std::uint64_t projector_compute_bytes(const gguf::Metadata& mmproj);

}  // namespace routerd
