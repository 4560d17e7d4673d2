#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "common/api/event.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace routerd {

/// What happened lately, in order: every room reports here, `routerctl events` reads here. Each
/// event is also a line of the daemon's log. Owned by App, core loop only.
class EventLog {
  public:
    static constexpr std::size_t kept = 1000;  ///< the newest so many

    /// Gives the event its id (from 1) and time, keeps it, tells the subscribers.
    void append(api::Event event);

    /// Oldest first.
    const std::deque<api::Event>& events() const noexcept { return events_; }

    /// Of the newest event; 0 before the first.
    std::uint64_t last_id() const noexcept { return last_id_; }

    /// `callback` is called with each new event until the Subscription ends; it must not wait and
    /// not append.
    Subscription subscribe(std::function<void(const api::Event&)> callback) {
        return told_.subscribe(std::move(callback));
    }

  private:
    std::deque<api::Event> events_;
    std::uint64_t last_id_ = 0;
    Broadcast<api::Event> told_;
};

}  // namespace routerd
