#pragma once

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/time.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Lets one coroutine wait until another part of the same loop says go, or until a deadline. A
/// notify() that comes while nobody waits is kept for the next wait. Core-loop only, one waiter.
class Signal {
  public:
    explicit Signal(const asio::any_io_executor& executor) : timer_(executor) {}

    /// Wakes the waiter (it resumes from the loop, not inside this call), or the next one.
    void notify() {
        set_ = true;
        if (waits_) {
            timer_.cancel();
        }
    }

    /// True when notified, false when `deadline` passed first.
    asio::awaitable<bool> wait_until(TimePoint deadline) {
        if (!set_) {
            co_await wait_once(deadline);
        }
        co_return std::exchange(set_, false);
    }

    asio::awaitable<void> wait() {
        while (!set_) {
            co_await wait_once(TimePoint::max());
        }
        set_ = false;
    }

  private:
    asio::awaitable<void> wait_once(TimePoint deadline) {
        timer_.expires_at(deadline);
        waits_ = true;
        co_await timer_.async_wait(no_throw);
        waits_ = false;
    }

    asio::steady_timer timer_;
    bool waits_ = false;  // a timer that nobody waits for is not worth a cancellation
    bool set_ = false;
};

}  // namespace routerd
