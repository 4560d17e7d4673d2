#include "daemon/net/deadlines.hpp"

#include <chrono>

namespace routerd {
namespace {

constexpr std::chrono::milliseconds sweep_interval(250);

}  // namespace

Expiring::Expiring(Deadlines& list) noexcept : list_(list), next_(list.first_) {
    if (next_ != nullptr) {
        next_->previous_ = this;
    }
    list.first_ = this;
}

Expiring::~Expiring() {
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

void Expiring::set_deadline(TimePoint deadline) noexcept {
    deadline_ = deadline;
    if (deadline != TimePoint::max()) {
        list_.wake();
    }
}

void Deadlines::wake() {
    if (running_) {
        return;
    }
    running_ = true;
    timer_.expires_after(sweep_interval);
    timer_.async_wait([this](const boost::system::error_code& /*cancelled*/) {
        running_ = false;
        sweep();  // a cancelled wait too: somebody may have come since
    });
}

void Deadlines::sweep() {
    const auto now = std::chrono::steady_clock::now();
    for (auto* entry = first_; entry != nullptr; entry = upcoming_) {
        upcoming_ = entry->next_;
        if (entry->deadline_ <= now) {
            entry->deadline_ = TimePoint::max();
            entry->on_deadline();
        }
    }
    upcoming_ = nullptr;
    for (const auto* entry = first_; entry != nullptr; entry = entry->next_) {
        if (entry->deadline_ != TimePoint::max()) {
            return wake();
        }
    }
}

}  // namespace routerd
