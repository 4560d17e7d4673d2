#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/store/requests.hpp"

namespace routerd {

/// How long the given part of requests took at the most.
struct Percentiles {
    std::chrono::microseconds p50{0};
    std::chrono::microseconds p95{0};
    std::chrono::microseconds p99{0};
};

/// Requests taken together, of all models or of one.
struct RequestSummary {
    std::size_t requests = 0;
    std::size_t failed = 0;    ///< of them, those with a status from 400 on
    std::size_t streamed = 0;  ///< of them
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
    Percentiles took;
    std::optional<Percentiles> first_byte;  ///< nullopt: no answer came
    std::chrono::microseconds queued{0};    ///< on average
};

RequestSummary summarize(const std::vector<RequestRow>& rows);

/// By model id; those without a model under "".
std::map<std::string, RequestSummary> summarize_by_model(const std::vector<RequestRow>& rows);

/// Failures of one kind.
struct ErrorSummary {
    unsigned status = 0;
    std::string model;
    std::size_t count = 0;
    WallTime last;        ///< when the newest of them began
    std::string message;  ///< of the newest
};

/// `rows` newest first; the most frequent first.
std::vector<ErrorSummary> summarize_errors(const std::vector<RequestRow>& rows);

}  // namespace routerd
