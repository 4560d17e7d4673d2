#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// A request that was answered: one row of `routerctl requests`. Figures only, nothing of what was
/// asked or answered.
struct RequestEntry {
    std::uint64_t id = 0;  ///< rises from request to request; newer ones have higher ids
    std::string request;   ///< its x-request-id
    WallTime started;
    std::string endpoint;              ///< path
    std::optional<std::string> model;  ///< id; null: none was resolved
    unsigned status = 0;               ///< 499 when the client left first
    std::optional<std::string> error;  ///< null when all went well
    bool stream = false;
    std::uint64_t bytes = 0;  ///< of the answer's body
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens;
    std::optional<double> tokens_per_second;
    std::chrono::milliseconds queued_ms{0};
    std::chrono::milliseconds loaded_ms{0};                  ///< of it, while the model loaded
    std::optional<std::chrono::milliseconds> first_byte_ms;  ///< null: no answer came
    std::chrono::milliseconds took_ms{0};
};

using RequestList = List<RequestEntry>;

}  // namespace routerd::api
