#pragma once

#include <string>

#include "daemon/pull/documents.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/reference.hpp"

namespace routerd::pull {

struct OllamaOptions {
    /// Of the registry: "https://registry.ollama.ai"; empty: as the reference says.
    std::string endpoint;
    std::string token;  ///< for a registry that wants one; empty: none
};

/// Asks the registry for the manifest of a model and for what its author set for Ollama, which
/// becomes overrides and notes as far as llama-server has the like. Errors: forbidden, not_found,
/// upstream_error, and those of Documents.
asio::awaitable<Result<Plan>> resolve_ollama(Documents& documents, OllamaReference reference,
                                             OllamaOptions options);

}  // namespace routerd::pull
