#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/reference.hpp"
#include "daemon/pull/sources/ollama_manifest.hpp"

namespace routerd::pull {

/// As Ollama shortens it, and the catalogue: "qwen3:8b", "host/space/name:tag".
std::string model_name(const OllamaReference& reference);

/// The files among the `layers` of a model, and notes of what is left out. `repository`: the URL
/// that its blobs are below. Pure. Errors: not_found (it has no weights), invalid_request (the
/// reference's names are too long for files).
Result<Plan> plan_of(const OllamaReference& reference, const std::string& repository,
                     const std::vector<OllamaLayer>& layers);

}  // namespace routerd::pull
