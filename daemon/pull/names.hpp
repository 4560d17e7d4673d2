#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd::pull {

/// Whether an origin's path of a file may be one here, below a folder of ours; gives it back
/// unchanged. Not taken: absolute ones, parts that are empty, "." or "..", hidden, or longer than
/// 255 bytes, paths longer than 1024 bytes, control characters, bytes that are not UTF-8,
/// backslashes, a drive ("C:"), a '~' in front, a dot or space at the end of a part, and what would
/// be one of these after decoding %2e%2e%2f. Errors: invalid_request.
Result<std::string> checked_path(std::string_view path);

/// The same for one name: no '/', not even as %2f.
Result<std::string> checked_name(std::string_view name);

/// The name of the file that a URL leads to: the last part of its path, decoded. It must be a
/// checked_name() and end in ".gguf". What a server says of the name (Content-Disposition) counts
/// for nothing. Errors: invalid_request.
Result<std::string> name_in_url(std::string_view url);

/// %XX turned into bytes; what only looks like it stays as it is.
std::string percent_decoded(std::string_view text);

/// A path as a URL has it: all but letters, digits and "-._~/" as %XX.
std::string percent_encoded_path(std::string_view path);

/// The same, '/' encoded too.
std::string percent_encoded(std::string_view part);

}  // namespace routerd::pull
