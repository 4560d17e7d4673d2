#pragma once

#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>

#include "daemon/net/net.hpp"

namespace routerd {

/// Lets one coroutine sleep until a callback of the same loop resumes it. No timer, no allocation.
class Wakeup {
  public:
    /// Sleeps until resume(). One coroutine at a time.
    asio::awaitable<void> wait() {
        return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
            [this](auto handler) { sleeper_.emplace(std::move(handler)); }, asio::use_awaitable);
    }

    bool has_sleeper() const noexcept { return sleeper_.has_value(); }

    /// Continues the sleeping coroutine here and now, inside this call; nothing when there is none.
    /// Whatever owns this Wakeup may be gone when it returns.
    void resume() {
        if (sleeper_) {
            auto sleeper = std::move(*sleeper_);
            sleeper_.reset();
            std::move(sleeper)();
        }
    }

  private:
    using Handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;
    std::optional<Handler> sleeper_;
};

}  // namespace routerd
