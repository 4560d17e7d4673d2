#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

/// What a key may still ask, as its client is told.
struct Allowance {
    unsigned limit = 0;                  ///< requests (or tokens) at once, after a pause
    unsigned remaining = 0;              ///< of them, now
    std::chrono::milliseconds reset{0};  ///< until all of them are there again
};

/// What came of counting a request. Both empty: there is no limit.
struct Admission {
    std::optional<Error> refusal;  ///< rate_limited, with the time after which it would be allowed
    std::optional<Allowance> allowance;  ///< of requests
    std::optional<Allowance> tokens{};
};

/// How much each key may ask: a token bucket for its requests and one for its tokens, by their
/// virtual schedules (the generic cell rate algorithm, ITU-T I.371): one time point each, no timer;
/// and how many of its requests may be under way. What tokens an answer takes is known when it has
/// ended, so a key may go into debt by what it has under way; it waits until that is paid. Names
/// that a client invents never come here. Pure: the time is given.
class RateLimiter {
  public:
    struct Rules {
        unsigned per_minute = 0;         ///< 0: no limit
        unsigned burst = 0;              ///< 0: the same as per_minute
        unsigned tokens_per_minute = 0;  ///< 0: no limit
        unsigned concurrent = 0;         ///< 0: no limit
    };

    void apply(Rules rules) noexcept { rules_ = rules; }

    /// Counts one request; one that is refused costs nothing.
    Admission take(std::string_view key, TimePoint now);

    /// Whether requests are to be told of by begin() and end().
    bool follows() const noexcept {
        return rules_.concurrent != 0 || rules_.tokens_per_minute != 0;
    }

    /// One more of its requests is under way. Errors: rate_limited; it is not, then.
    Result<void> begin(std::string_view key);
    /// The same for one that is under way already.
    void add(std::string_view key) { ++under_way_[std::string(key)]; }
    void end(std::string_view key);

    /// So many tokens were used.
    void spend(std::string_view key, std::uint64_t tokens, TimePoint now);

    /// Buckets that it remembers.
    std::size_t known() const noexcept;

  private:
    static constexpr std::size_t first_look = 64;  // entries
    struct Schedule {
        std::map<std::string, TimePoint, std::less<>> full_at;  ///< the buckets, when each is full
        std::size_t next_look = first_look;  ///< so many entries: look which are of no use
    };
    static TimePoint& bucket(Schedule& schedule, std::string_view key, TimePoint now);
    void take_tokens(Admission& admission, std::string_view key, TimePoint now) const;
    void take_request(Admission& admission, std::string_view key, TimePoint now);

    Rules rules_;
    Schedule requests_;
    Schedule tokens_;
    std::map<std::string, unsigned, std::less<>> under_way_;
};

}  // namespace routerd
