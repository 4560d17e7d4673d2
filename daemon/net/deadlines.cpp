#include "daemon/net/deadlines.hpp"

#include <chrono>

namespace routerd {
namespace {

constexpr std::chrono::milliseconds sweep_interval(250);
// Between two that have passed: what follows (an answer, a close) takes a tenth of a millisecond,
// so that thousands at once slow down others a little for seconds, and never stop them for one.
constexpr std::chrono::microseconds pause(400);
constexpr unsigned looked_at_at_once = 2048;  // then others have their turn

}  // namespace

Expiring::Expiring(Deadlines& list) noexcept : list_(list), next_(list.first_) {
    if (next_ != nullptr) {
        next_->previous_ = this;
    }
    list.first_ = this;
}

Expiring::~Expiring() {  // NOLINT(bugprone-exception-escape): cancel() of a timer cannot fail
    if (list_.upcoming_ == this) {
        list_.upcoming_ = next_;
    }
    if (next_ != nullptr) {
        next_->previous_ = previous_;
    }
    (previous_ != nullptr ? previous_->next_ : list_.first_) = next_;
    if (list_.first_ == nullptr) {
        list_.timer_.cancel();  // an idle loop has nothing to wake for, a stopping one ends at once
    }
}

void Expiring::set_deadline(TimePoint deadline) {
    deadline_ = deadline;
    if (deadline != TimePoint::max()) {
        list_.wake();
    }
}

void Deadlines::wake() {
    wanted_ = true;
    if (running_) {
        return;
    }
    running_ = true;
    timer_.expires_after(sweep_interval);
    timer_.async_wait([this](const boost::system::error_code& /*cancelled*/) {
        sweep();  // a cancelled wait too: somebody may have come since
    });
}

void Deadlines::sweep() {
    wanted_ = false;
    upcoming_ = first_;
    go_on();
}

void Deadlines::go_on_later(std::chrono::microseconds delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](const boost::system::error_code& /*cancelled*/) { go_on(); });
}

void Deadlines::go_on() {
    const auto now = std::chrono::steady_clock::now();
    bool told = false;
    for (unsigned looked_at = 0; upcoming_ != nullptr; ++looked_at) {
        auto* const entry = upcoming_;
        const bool has_passed = entry->deadline_ <= now;
        if (has_passed && told) {
            return go_on_later(pause);
        }
        if (looked_at == looked_at_at_once) {
            return go_on_later({});
        }
        upcoming_ = entry->next_;
        if (has_passed) {
            told = true;
            entry->deadline_ = TimePoint::max();
            entry->on_deadline();
        } else if (entry->deadline_ != TimePoint::max()) {
            wanted_ = true;
        }
    }
    running_ = false;
    if (wanted_ && first_ != nullptr) {
        wake();
    }
}

}  // namespace routerd
