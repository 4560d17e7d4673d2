#include "daemon/net/deadlines.hpp"

#include <chrono>

namespace routerd {
namespace {

constexpr std::chrono::milliseconds sweep_interval(250);

}  // namespace

Expiring::Expiring(Deadlines& list)
    : list_(list), place_(list.entries_.insert(list.entries_.end(), this)) {}

Expiring::~Expiring() {
    list_.entries_.erase(place_);
    if (list_.entries_.empty()) {
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
    bool any = false;
    for (auto* entry : entries_) {
        if (entry->deadline_ <= now) {
            entry->deadline_ = TimePoint::max();
            entry->on_deadline();
        }
        any = any || entry->deadline_ != TimePoint::max();
    }
    if (any) {
        wake();
    }
}

}  // namespace routerd
