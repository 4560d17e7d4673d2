// The part of Instance while it serves: is it still there?
#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/units.hpp"
#include "daemon/supervisor/instance.hpp"

namespace routerd {
namespace {

constexpr unsigned misses_to_end = 3;
constexpr Duration longest_health_answer =
    std::chrono::seconds(5);  // to what costs nothing to tell
constexpr Duration pause_after_miss = std::chrono::seconds(1);
constexpr unsigned stalls_to_end = 3;

}  // namespace

asio::awaitable<void> Instance::serve() {
    unsigned misses = 0;
    while (!exit_ && !stop_wanted_ && !abandoned_ && failure_.empty()) {
        const bool is_asked_for = plan_.probe_interval.count() > 0;
        const auto pause =
            misses == 0 ? plan_.probe_interval : std::min(pause_after_miss, plan_.probe_interval);
        const auto next = is_asked_for ? steady_now() + pause : TimePoint::max();
        const bool woken = co_await wake_.wait_until(next);
        if (woken && !std::exchange(suspected_, false)) {
            continue;
        }
        const auto asked = steady_now();
        const bool answered = co_await ask_health();
        if (!remembered_) {
            co_await remember();
        }
        misses = answered || server_->heard.last() > asked ? 0 : misses + 1;
        if (misses == misses_to_end && !exit_ && !stop_wanted_) {
            failure_ = "does not answer any more, asked " + std::to_string(misses) +
                       " times: " + last_answer_;
        }
    }
}

/// Any answer is one: what it says of itself is for others to judge.
asio::awaitable<bool> Instance::ask_health() {
    const auto asked = steady_now();
    const bool is_usual = plan_.probe_interval.count() > 0;
    const auto limit =
        is_usual ? std::min(longest_health_answer, plan_.probe_interval) : longest_health_answer;
    const auto path = std::string(plan_.backend->health_path());
    const auto answer = co_await probe_.get(endpoint_, path, asked + limit);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_now() - asked);
    if (exit_ || stop_wanted_ || abandoned_) {
        co_return true;  // it was cut off
    }
    if (!answer) {
        last_answer_ = answer.error().message();
        if (answer.error().code() == Errc::internal) {
            spdlog::warn("'{}' was not asked how it is: {}", plan_.model, last_answer_);
            co_return true;
        }
    }
    tools_.observer.on_probe(*this, answer ? std::optional(took) : std::nullopt);
    co_return bool(answer);
}

void Instance::answered(Answered how) {
    if (plan_.remote) {
        return;  // it is not ours to end
    }
    if (how == Answered::whole) {
        stalls_ = 0;
        return;
    }
    suspected_ = true;
    if (how == Answered::stalled && ++stalls_ == stalls_to_end && is_ready()) {
        failure_ = "stopped in the middle of " + std::to_string(stalls_) +
                   " answers in a row, though it is alive";
    }
    wake_.notify();
}

}  // namespace routerd
