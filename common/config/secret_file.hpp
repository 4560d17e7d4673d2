#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace routerd {

/// The secrets in a file that the configuration names, one a line, at least one; empty lines and
/// those that begin with # do not count. Blocks. Errors: that it cannot be read, that others than
/// its owner can read it, or that nothing is in it (invalid_request), or nothing that a header may
/// carry.
Result<std::vector<std::string>> read_secret_file(const std::string& path);

}  // namespace routerd
