#pragma once

#include <string>
#include <vector>

#include "common/base/error.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace routerd::ctl {

/// What is wrong with the command line, in one sentence, with the nearest thing that would be
/// right or where to read on.
Error usage_error(const CLI::App& root, const CLI::ParseError& error);

/// What --help or --version prints for the command that was named.
std::string help_text(const CLI::App& root, const std::vector<std::string>& arguments);

}  // namespace routerd::ctl
