#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace routerd::api {

/// How the daemon is to stop.
struct ShutdownRequest {
    bool keep_models = false;  ///< its servers go on, for the next daemon
};

/// It stops now.
struct ShutdownResult {
    std::uint64_t pid = 0;  ///< of the daemon
    bool keep_models = false;
    std::vector<std::string> models;  ///< whose servers run, and are ended or kept
};

}  // namespace routerd::api
