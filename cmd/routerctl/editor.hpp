#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/config/paths.hpp"

namespace routerd::ctl {

/// Lets the user edit `text` with $VISUAL, $EDITOR or vi in a temporary file, and returns what the
/// file holds then. Errors: unavailable; cancelled when the editor ends with a failure.
Result<std::string> edit_text(const std::string& text, const Environment& environment);

/// The whole file; "-" is standard input. Errors: unavailable, with the system's reason.
Result<std::string> read_file(const std::string& path);

}  // namespace routerd::ctl
