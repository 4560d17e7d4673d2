#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd::gguf {

/// Every field by its own name; what the file did not say is left out. Always valid UTF-8.
nlohmann::ordered_json to_json(const Metadata& metadata);

/// The other way, for what was kept in a cache. Errors: invalid_request.
Result<Metadata> from_json(std::string_view text);

}  // namespace routerd::gguf
