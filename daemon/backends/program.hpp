#pragma once

#include <string>

#include "common/base/result.hpp"

namespace routerd {

/// Where a program is: a name with a slash is taken as it is (~ is the home directory), another is
/// looked up in PATH. Errors: load_failed; it says what was looked for, where, and that `setting`
/// is what sets it.
Result<std::string> find_program(const std::string& name, const std::string& setting);

}  // namespace routerd
