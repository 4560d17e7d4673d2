#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace routerd::api {

/// A model whose files are gone.
struct RemovedModel {
    std::string id;
    std::vector<std::string> files;  ///< absolute paths of what was removed
    std::uint64_t freed = 0;         ///< bytes
};

/// What of the downloads is to be tidied away.
struct PruneRequest {
    bool dry_run = false;  ///< only say what it would be
    bool all = false;      ///< what failed and what is paused too, and the records of what is over
};

struct PrunedFile {
    std::string path;  ///< absolute
    std::uint64_t bytes = 0;
};

struct PruneResult {
    std::vector<PrunedFile> removed;  ///< or what would be
    std::vector<std::string> pulls;   ///< ids of those that are forgotten, or would be
    std::uint64_t freed = 0;          ///< bytes
};

}  // namespace routerd::api
