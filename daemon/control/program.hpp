#pragma once

#include <string>

#include "common/base/result.hpp"

namespace routerd {

class Fleet;

/// The program that runs models which name no other. Errors: load_failed; it says where the
/// program was looked for.
Result<std::string> server_program(const Fleet& fleet);

}  // namespace routerd
