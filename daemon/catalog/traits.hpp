#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"

namespace routerd {

/// The quantization in a file's name as it is written there: "Q4_K_M" of "qwen3-8b-Q4_K_M", with
/// "UD-" in front where it is; empty when there is none.
std::string quantization_in(std::string_view stem);

/// The number of parameters in a file's name: "8x7b" is 56e9, "135m" 135e6; 0 when there is none.
std::uint64_t parameters_in(std::string_view stem);

/// Whether a file's name is that of a thinking model ("-thinking", "-r1-", "qwq"), for files whose
/// metadata has no chat template.
bool thinking_in(std::string_view stem);

/// What the metadata says, and only then the name.
std::string quantization_of(const gguf::Metadata& metadata, std::string_view stem);
std::uint64_t parameters_of(const gguf::Metadata& metadata, std::string_view stem);
bool thinking_of(const gguf::Metadata& metadata, std::string_view stem);

/// thinking → powerful; from `powerful_from` → powerful; below `fast_below` at 2 to 4 bits → fast;
/// everything else → balanced.
Tier tier_of(std::uint64_t parameters, std::string_view quantization, bool thinking,
             const TiersConfig& tiers);

/// @param sees  it has a projector with a vision encoder.
Capabilities capabilities_of(const gguf::Metadata& metadata, bool sees, bool thinking);

}  // namespace routerd
