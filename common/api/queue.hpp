#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// A request that waits: one row of `routerctl queue`.
struct QueuedRequest {
    std::string id;  ///< the request's own, else its ticket: what DELETE queue/{id} takes
    std::uint64_t ticket = 0;
    std::optional<std::string> request;  ///< id; null: a load that a command or the daemon wants
    std::string model;                   ///< id
    std::string priority;                ///< high, normal, low
    std::optional<std::string> key;      ///< name of the API key that it came with
    WallTime since;
    std::optional<WallTime> deadline;          ///< refused then
    std::uint64_t position = 0;                ///< from 1, among those waiting for the model
    std::string state;                         ///< queued, loading
    std::optional<unsigned> progress_percent;  ///< of the load, where the server says so
    std::string reason;                        ///< what it waits for
};

using QueueList = List<QueuedRequest>;

}  // namespace routerd::api
