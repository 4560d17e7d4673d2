#pragma once

#include <string>
#include <vector>

#include "common/config/paths.hpp"
#include "daemon/catalog/candidate.hpp"

namespace routerd::sources {

/// ~/.lmstudio/models and, of older versions, ~/.cache/lm-studio/models; where the user moved LM
/// Studio's home, ~/.lmstudio-home-pointer says where to.
std::vector<std::string> lmstudio_folders(const Environment& environment);

/// A file at publisher/repository/x.gguf below `root` comes from that repository.
void describe_lmstudio_files(const std::string& root, std::vector<Candidate>& files);

}  // namespace routerd::sources
