#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/catalog/found.hpp"

namespace routerd {

/// A file that lets a language model see or hear (mmproj).
struct Projector {
    Candidate file;
    std::shared_ptr<const gguf::Metadata> metadata;
};

/// Gives each model without a projector the one of its folder that fits it best: the same name
/// before the quantization, or, where a projector has no name of its own (mmproj-F16.gguf), the one
/// model of the folder. Where both say the width of an embedding, the widths must be equal. Of
/// several quantizations F16 is taken. Pure.
void pair_projectors(std::vector<FoundModel>& models, const std::vector<Projector>& projectors);

/// The name that a file shares with its kin: lower-case, without "mmproj" and without the
/// quantization: "gemma-3-4b-it" of both "gemma-3-4b-it-Q4_K_M" and "mmproj-gemma-3-4b-it-f16".
std::string family_name(std::string_view stem);

}  // namespace routerd
