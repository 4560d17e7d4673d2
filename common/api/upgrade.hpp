#pragma once

#include <cstdint>
#include <string>

namespace routerd::api {

/// Another process serves in the daemon's place now.
struct UpgradeResult {
    std::uint64_t pid = 0;
    std::string version;
    std::uint64_t old_pid = 0;  ///< of the one that was asked; it ends when its requests have
    std::string old_version;
    std::uint64_t requests = 0;  ///< that it still answers
};

}  // namespace routerd::api
