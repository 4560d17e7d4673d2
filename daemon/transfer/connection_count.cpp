#include "daemon/transfer/connection_count.hpp"

#include <algorithm>
#include <chrono>

namespace routerd::transfer {
namespace {

constexpr unsigned at_first = 2;  // one asks while the other receives
constexpr auto round_time = std::chrono::milliseconds(200);
constexpr auto hold_time =
    std::chrono::seconds(10);  // a line's capacity seldom changes faster than that
constexpr double worth_it = 1.08;

}  // namespace

ConnectionCount::ConnectionCount(unsigned most)
    : most_(std::max(most, 1U)), wanted_(std::min(at_first, most_)) {}

void ConnectionCount::set_most(unsigned most) {
    most_ = std::max(most, 1U);
    wanted_ = std::min(std::max(wanted_, std::min(at_first, most_)), most_);
    best_ = 0;
    round_ = {};
}

void ConnectionCount::begin_round(std::uint64_t received, TimePoint now) {
    round_ = now;
    received_ = received;
}

void ConnectionCount::observe(std::uint64_t received, unsigned running, TimePoint now) {
    if (now < held_until_) {
        return;
    }
    if (round_ == TimePoint{}) {
        if (running >= wanted_) {
            begin_round(received, now);
        }
        return;
    }
    const auto took = now - round_;
    if (took < round_time) {
        return;
    }
    judge(static_cast<double>(received - received_) / std::chrono::duration<double>(took).count(),
          now);
    round_ = {};
}

void ConnectionCount::judge(double rate, TimePoint now) {
    const bool gains = best_ == 0 || rate > best_rate_ * worth_it;
    if (gains && wanted_ < most_) {
        best_ = wanted_;
        best_rate_ = rate;
        wanted_ = std::min(wanted_ * 2, most_);
        return;
    }
    if (!gains) {
        wanted_ = best_;
    }
    best_ = 0;  // measured anew then: the line may be another
    held_until_ = now + hold_time;
}

}  // namespace routerd::transfer
