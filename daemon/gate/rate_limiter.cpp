#include "daemon/gate/rate_limiter.hpp"

#include <algorithm>

namespace routerd {

Admission RateLimiter::take(std::string_view key, TimePoint now) {
    if (rules_.per_minute == 0) {
        return {};
    }
    using std::chrono::ceil;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    const auto burst = rules_.burst != 0 ? rules_.burst : rules_.per_minute;
    const TimePoint::duration each = std::chrono::duration_cast<TimePoint::duration>(
        std::chrono::duration<double, std::ratio<60>>(1.0 / rules_.per_minute));
    auto found = full_at_.find(key);
    if (found == full_at_.end()) {
        found = full_at_.emplace(std::string(key), now).first;
    }
    const auto full_at = std::max(found->second, now) + each;
    const auto early = full_at - now - each * burst;
    if (early > TimePoint::duration::zero()) {
        const auto who =
            key.empty() ? std::string("without a key") : "key '" + std::string(key) + "'";
        const Error refusal =
            Error(Errc::rate_limited,
                  who + ": more than " + std::to_string(rules_.per_minute) + " requests a minute")
                .with_hint("wait; the limit is [rate_limit] requests_per_minute")
                .with_retry_after(ceil<seconds>(early));
        Allowance nothing;
        nothing.limit = burst;
        nothing.reset = ceil<milliseconds>(full_at - each - now);
        return {refusal, nothing};
    }
    found->second = full_at;
    Allowance allowance;
    allowance.limit = burst;
    allowance.remaining = static_cast<unsigned>((each * burst - (full_at - now)) / each);
    allowance.reset = ceil<milliseconds>(full_at - now);
    return {std::nullopt, allowance};
}

}  // namespace routerd
