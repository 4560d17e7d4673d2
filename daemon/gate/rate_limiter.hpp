#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/time.hpp"

namespace routerd {

/// What a key may still ask, as its client is told.
struct Allowance {
    unsigned limit = 0;                  ///< requests at once, after a pause
    unsigned remaining = 0;              ///< of them, now
    std::chrono::milliseconds reset{0};  ///< until all of them are there again
};

/// What came of counting a request. Both empty: there is no limit.
struct Admission {
    std::optional<Error> refusal;  ///< rate_limited, with the time after which it would be allowed
    std::optional<Allowance> allowance;
};

/// How often each key may ask: a token bucket each, by its virtual schedule (the generic cell rate
/// algorithm, ITU-T I.371): one time point a key, no timer. Knows as many keys as there are names
/// of keys; what a client invents never comes here. Pure: the time is given.
class RateLimiter {
  public:
    struct Rules {
        unsigned per_minute = 0;  ///< 0: no limit
        unsigned burst = 0;       ///< 0: the same as per_minute
    };

    void apply(Rules rules) noexcept { rules_ = rules; }

    /// Counts one request; one that is refused costs nothing.
    Admission take(std::string_view key, TimePoint now);

  private:
    Rules rules_;
    std::map<std::string, TimePoint, std::less<>> full_at_;  ///< when the bucket is full again
};

}  // namespace routerd
