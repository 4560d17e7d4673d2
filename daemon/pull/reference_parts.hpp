#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "daemon/pull/reference.hpp"

namespace routerd::pull {

/// `text` without the place in front: "org/repo", "org/repo@main:Q4_K_M", "org/repo/FILE.gguf",
/// "org/repo/resolve/main/FILE". Errors: invalid_request.
Result<Reference> parse_hub_reference(std::string_view text);

/// `text` without "ollama://": "name", "ns/name:tag", "host:port/ns/name:tag". Errors:
/// invalid_request.
Result<Reference> parse_ollama_reference(std::string_view text);

}  // namespace routerd::pull
