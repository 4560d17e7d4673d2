#pragma once

#include <string>
#include <vector>

#include "common/config/paths.hpp"
#include "daemon/catalog/candidate.hpp"

namespace routerd::sources {

/// The hub cache's folder: $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub.
std::vector<std::string> huggingface_folders(const Environment& environment);

/// Reads repository and revision off paths like models--org--repo/snapshots/REVISION/file.gguf, and
/// drops files of old revisions that the current one (refs/main) has too. What has no such path is
/// left as it is: other caches use the same layout for some of their files.
void describe_hub_files(std::vector<Candidate>& files);

}  // namespace routerd::sources
