#pragma once

#include <cstddef>
#include <vector>

#include "daemon/estimate/launch.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// Which device holds what. A device is 0 for the host and i + 1 for LaunchParameters::gpus[i].
///
/// llama-model.cpp, load_tensors(): the last `gpu_layers` of the layers and the output, which comes
/// after them, go to GPUs; they are split in the given proportions, in order. The embedding stays
/// on the host. A model without output.weight multiplies with its embedding, so a GPU that has the
/// output has a copy of that.
struct Placement {
    std::vector<std::size_t> layers;  ///< device of each
    std::size_t output = 0;
    std::uint64_t gpu_layers = 0;  ///< the output counted as one
};

Placement place(const LaunchParameters& launch, std::size_t layers);

/// Bytes of weights on one device, and on the host how they are held.
struct WeightBytes {
    std::uint64_t bytes = 0;      ///< what is computed with
    std::uint64_t mapped = 0;     ///< of these, pages of the file
    std::uint64_t droppable = 0;  ///< pages of the file besides
};

/// One for the host and one for each GPU, in the order of `launch.gpus`.
std::vector<WeightBytes> place_weights(const gguf::Metadata& model, const LaunchParameters& launch,
                                       const Placement& placement);

}  // namespace routerd
