#pragma once

#include <deque>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "daemon/net/net.hpp"

namespace routerd {

/// Lets coroutines of one loop do something that spans waits one after the other, in the order they
/// came. Only for tasks that are not cancelled while they wait (Catalog's own).
class Turns {
  public:
    explicit Turns(const asio::any_io_executor& executor) : executor_(executor) {}

    /// Holds the turn; the destructor passes it on.
    class Turn {
      public:
        explicit Turn(Turns& turns) noexcept : turns_(&turns) {}
        Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn() {
            if (turns_ != nullptr) {
                turns_->leave();
            }
        }

      private:
        Turns* turns_;
    };

    asio::awaitable<Turn> enter() {
        if (busy_) {
            auto& place = waiting_.emplace_back(executor_, TimePoint::max());
            co_await place.async_wait(no_throw);  // cancelled by leave(), which leaves busy_ set
            waiting_.pop_front();
        }
        busy_ = true;
        co_return Turn(*this);
    }

  private:
    using TimePoint = asio::steady_timer::time_point;

    // NOLINTNEXTLINE(bugprone-exception-escape): a steady_timer's cancel() throws nothing.
    void leave() noexcept {
        if (waiting_.empty()) {
            busy_ = false;
        } else {
            waiting_.front().cancel();
        }
    }

    asio::any_io_executor executor_;
    std::deque<asio::steady_timer> waiting_;  // references to elements stay good at both ends
    bool busy_ = false;
};

}  // namespace routerd
