#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace routerd {

/// What one inference request came to, as it is told to Telemetry. The views are for the call
/// alone. Nothing of what was asked or answered belongs here.
struct FinishedRequest {
    std::string_view request;   ///< its x-request-id
    std::string_view endpoint;  ///< path that was asked for
    std::string_view route;     ///< pattern of the route: the label in the metrics
    std::string_view model;     ///< id of the catalogue; empty when none was resolved
    unsigned status = 0;        ///< sent, or 499 when the client left first
    std::string_view error;     ///< empty when all went well
    bool stream = false;
    std::uint64_t bytes = 0;  ///< of the answer's body
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens;
    std::optional<double> tokens_per_second;
    std::chrono::microseconds queued{0};
    std::chrono::microseconds loaded{0};
    std::chrono::microseconds first_byte{0};  ///< 0: no answer came
    std::chrono::microseconds took{0};
};

}  // namespace routerd
