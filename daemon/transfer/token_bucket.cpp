#include "daemon/transfer/token_bucket.hpp"

#include <algorithm>
#include <chrono>

namespace routerd::transfer {
namespace {

constexpr double burst_seconds = 0.1;

}  // namespace

void TokenBucket::set_rate(std::uint64_t bytes_per_second, TimePoint now) {
    refill(now);
    rate_ = bytes_per_second;
    level_ = std::min(level_, static_cast<double>(rate_) * burst_seconds);
    filled_ = now;
}

void TokenBucket::refill(TimePoint now) {
    const auto passed = std::chrono::duration<double>(now - filled_).count();
    const auto rate = static_cast<double>(rate_);
    level_ = std::min(level_ + rate * std::max(passed, 0.0), rate * burst_seconds);
    filled_ = now;
}

bool TokenBucket::may_take(TimePoint now) {
    if (rate_ == 0) {
        return true;
    }
    refill(now);
    return level_ > 0;
}

void TokenBucket::take(std::uint64_t bytes) noexcept {
    if (rate_ != 0) {
        level_ -= static_cast<double>(bytes);
    }
}

TimePoint TokenBucket::due(TimePoint now) {
    if (may_take(now)) {
        return now;
    }
    // A little more than nothing, so that it is not asked for each byte.
    const auto owed = static_cast<double>(rate_) * burst_seconds / 2 - level_;
    const std::chrono::duration<double> wait(owed / static_cast<double>(rate_));
    return now + std::chrono::duration_cast<TimePoint::duration>(wait);
}

}  // namespace routerd::transfer
