#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"

namespace routerd {

/// What `routerd --gguf-dump FILE` prints: the file's metadata as JSON, when the catalogue would
/// offer it (with the other parts of its set, if it is one of several). Blocks.
/// Errors: the reason why it would not be offered.
Result<nlohmann::ordered_json> inspect_file(const std::string& path);

}  // namespace routerd
