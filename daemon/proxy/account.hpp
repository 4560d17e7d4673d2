#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"

namespace routerd {

/// What one inference request came to.
struct Record {
    std::string request_id;
    std::string endpoint;    ///< path that was asked for
    std::string_view route;  ///< its pattern; lives as long as the table of routes
    std::string model;       ///< id; empty when it was not resolved
    /// As sent, 499 when the client left first; of what went wrong behind the answer's head, what
    /// would have been sent.
    unsigned status = 0;
    std::string error;  ///< empty when all went well
    bool stream = false;
    std::uint64_t bytes = 0;  ///< of the answer's body
    std::optional<double> tokens_per_second;
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens;
    std::chrono::milliseconds queued{0};
    std::chrono::milliseconds loaded{0};
    std::chrono::microseconds first_byte{0};  ///< from its coming; 0: no answer came
    std::chrono::microseconds took{0};
};

/// Writes the record when the request's scope ends, however it ends.
class Account {
  public:
    using Sink = std::function<void(Record&&)>;

    Account(const Sink& sink, TimePoint begun) : sink_(sink), begun_(begun) {}
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;
    ~Account();

    TimePoint begun() const noexcept { return begun_; }

    Record record;

  private:
    const Sink& sink_;
    TimePoint begun_;
};

}  // namespace routerd
