#include "daemon/scheduler/popularity.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace routerd::scheduler {
namespace {

using Minutes = std::chrono::duration<double, std::ratio<60>>;

constexpr Minutes half_life{10};
constexpr Minutes horizon{1};  // longer, and all that is used at all looks alike

}  // namespace

double Popularity::count_at(TimePoint now) const noexcept {
    const Minutes passed = std::max(now - at_, TimePoint::duration(0));
    return count_ * std::exp2(-passed / half_life);
}

void Popularity::add(TimePoint now) noexcept {
    constexpr std::chrono::milliseconds at_once(100);  // loses nothing worth a logarithm
    if (now - at_ < at_once && now >= at_) {
        count_ += 1;
        return;
    }
    count_ = count_at(now) + 1;
    at_ = now;
}

double Popularity::chance_of_return(TimePoint now) const noexcept {
    // Requests at a constant rate settle at a count of rate × half-life / ln 2.
    const double expected = count_at(now) * std::numbers::ln2;
    return -std::expm1(-expected * (horizon / half_life));
}

}  // namespace routerd::scheduler
