#include "daemon/gate/rate_limiter.hpp"

#include <algorithm>

namespace routerd {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Of a rate of so many a minute.
TimePoint::duration time_of(double count, unsigned per_minute) {
    return std::chrono::duration_cast<TimePoint::duration>(
        std::chrono::duration<double, std::ratio<60>>(count / per_minute));
}

std::string name_of(std::string_view key) {
    return key.empty() ? std::string("without a key") : "key '" + std::string(key) + "'";
}

Error too_much(std::string_view key, unsigned limit, const std::string& what,
               const std::string& setting) {
    return Error(Errc::rate_limited,
                 name_of(key) + ": more than " + std::to_string(limit) + " " + what)
        .with_hint("wait; the limit is [rate_limit] " + setting);
}

}  // namespace

/// When the key's bucket is full again. One that is full and one that nobody knows are the same, so
/// that of keys that are not used any more nothing stays.
TimePoint& RateLimiter::bucket(Schedule& schedule, std::string_view key, TimePoint now) {
    const auto found = schedule.full_at.find(key);
    if (found != schedule.full_at.end()) {
        return found->second;
    }
    if (schedule.full_at.size() >= schedule.next_look) {
        std::erase_if(schedule.full_at, [now](const auto& entry) { return entry.second <= now; });
        schedule.next_look = std::max(first_look, 2 * schedule.full_at.size());
    }
    return schedule.full_at.emplace(std::string(key), now).first->second;
}

std::size_t RateLimiter::known() const noexcept {
    return requests_.full_at.size() + tokens_.full_at.size();
}

Admission RateLimiter::take(std::string_view key, TimePoint now) {
    Admission admission;
    if (rules_.tokens_per_minute != 0) {
        take_tokens(admission, key, now);
    }
    if (rules_.per_minute != 0) {
        take_request(admission, key, now);
    }
    return admission;
}

void RateLimiter::take_tokens(Admission& admission, std::string_view key, TimePoint now) const {
    constexpr TimePoint::duration full = std::chrono::minutes(1);
    const auto& known = tokens_.full_at;
    const auto found = known.find(key);
    const auto full_at = found == known.end() ? now : std::max(found->second, now);
    const auto left = full - (full_at - now);
    auto& allowance = admission.tokens.emplace();
    allowance.limit = rules_.tokens_per_minute;
    allowance.reset = ceil<milliseconds>(full_at - now);
    if (left <= TimePoint::duration::zero()) {
        const auto one = time_of(1, rules_.tokens_per_minute);
        admission.refusal =
            too_much(key, rules_.tokens_per_minute, "tokens a minute", "tokens_per_minute")
                .with_retry_after(std::max(ceil<seconds>(one - left), seconds(1)));
        return;
    }
    const auto share = std::chrono::duration<double>(left) / std::chrono::duration<double>(full);
    allowance.remaining = static_cast<unsigned>(share * rules_.tokens_per_minute);
}

/// One that is refused for its tokens is not counted.
void RateLimiter::take_request(Admission& admission, std::string_view key, TimePoint now) {
    const auto burst = rules_.burst != 0 ? rules_.burst : rules_.per_minute;
    const auto each = time_of(1, rules_.per_minute);
    auto& full_at = bucket(requests_, key, now);
    const auto before = std::max(full_at, now);
    const auto early = before + each - now - each * burst;
    auto& allowance = admission.allowance.emplace();
    allowance.limit = burst;
    if (early > TimePoint::duration::zero()) {
        allowance.reset = ceil<milliseconds>(before - now);
        if (!admission.refusal) {
            admission.refusal =
                too_much(key, rules_.per_minute, "requests a minute", "requests_per_minute")
                    .with_retry_after(ceil<seconds>(early));
        }
        return;
    }
    if (!admission.refusal) {
        full_at = before + each;
    }
    const auto until_full = std::max(full_at, now) - now;
    allowance.remaining = static_cast<unsigned>((each * burst - until_full) / each);
    allowance.reset = ceil<milliseconds>(until_full);
}

Result<void> RateLimiter::begin(std::string_view key) {
    const auto found = under_way_.find(key);
    const auto now = found == under_way_.end() ? 0 : found->second;
    if (rules_.concurrent != 0 && now >= rules_.concurrent) {
        return too_much(key, rules_.concurrent, "requests at once", "concurrent")
            .with_retry_after(seconds(1));
    }
    add(key);
    return {};
}

void RateLimiter::end(std::string_view key) {
    const auto found = under_way_.find(key);
    if (found != under_way_.end() && --found->second == 0) {
        under_way_.erase(found);
    }
}

void RateLimiter::spend(std::string_view key, std::uint64_t tokens, TimePoint now) {
    if (rules_.tokens_per_minute == 0 || tokens == 0) {
        return;
    }
    // An answer of more tokens than there are is an upstream's mistake: not for ever on its
    // account.
    const auto most = 100.0 * rules_.tokens_per_minute;
    const auto counted = std::min(static_cast<double>(tokens), most);
    auto& full_at = bucket(tokens_, key, now);
    full_at = std::max(full_at, now) + time_of(counted, rules_.tokens_per_minute);
}

}  // namespace routerd
