#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"

namespace routerd::pull {

/// A blob of Ollama's registry.
struct OllamaLayer {
    std::string kind;    ///< "model", "projector", "params", "template", "system", …
    std::string sha256;  ///< 64 lower-case hexadecimal digits
    std::optional<std::uint64_t> size;  ///< bytes
};

/// The layers of a manifest in their order; of other media types than Ollama's there are none.
/// Errors: upstream_error (no manifest, a digest that is none).
Result<std::vector<OllamaLayer>> layers_of(const nlohmann::json& manifest);

/// The first layer of a kind; nullptr: there is none. It lives as long as `layers`.
const OllamaLayer* first_of(const std::vector<OllamaLayer>& layers, std::string_view kind);

/// Settings for a model, made of what its author gave it for Ollama.
struct OllamaSettings {
    std::vector<std::pair<std::string, std::string>> overrides;  ///< as in Plan
    std::vector<std::string> notes;
};

/// What the parameters of a model ({"temperature": 0.6, "stop": ["…"], "num_ctx": 8192}) are here.
/// Any JSON is fine: what is not known, or is not of its type, a note names.
OllamaSettings settings_of(const nlohmann::json& parameters);

}  // namespace routerd::pull
