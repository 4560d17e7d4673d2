#pragma once

#include <string_view>
#include <utility>

namespace routerd {

/// While one exists, the lines that its thread logs are about this request: its id stands in front
/// of them, or is a field of their own. For a statement or two: not across a wait.
class LogAbout {
  public:
    /// `request`: its id; outlives this.
    explicit LogAbout(std::string_view request) noexcept
        : before_(std::exchange(current, request)) {}
    LogAbout(const LogAbout&) = delete;
    LogAbout& operator=(const LogAbout&) = delete;
    ~LogAbout() { current = before_; }

    /// What this thread's lines are about; empty: no request.
    static std::string_view request() noexcept { return current; }

  private:
    static inline thread_local std::string_view current;
    std::string_view before_;
};

}  // namespace routerd
