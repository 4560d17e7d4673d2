#pragma once

#include <map>
#include <string>
#include <vector>

namespace routerd {

/// The environment of a model server as "NAME=value" entries: what a program needs to run and what
/// steers devices (PATH, HOME, locale, CUDA_*, HIP_*, …), never the daemon's own settings and
/// secrets; then `added`, which wins.
std::vector<std::string> server_environment(const std::map<std::string, std::string>& added);

}  // namespace routerd
