#pragma once

#include <functional>
#include <string_view>

#include "daemon/http/exchange.hpp"
#include "daemon/net/signal.hpp"

namespace routerd {

/// One answer as text/event-stream, kept alive by comments. Made by a handler for its Exchange and
/// gone before it. The handler's loop: begin(); send what there is, wait(), until it says false.
class EventStream {
  public:
    EventStream(Exchange& exchange, const asio::any_io_executor& executor);
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    /// False when there is nobody to send to: a HEAD request (answered then), or the client left.
    asio::awaitable<bool> begin();

    /// `data` is one line of JSON; `id` may be empty. False when the client is gone.
    asio::awaitable<bool> send(std::string_view name, std::string_view data,
                               std::string_view id = {});

    /// Sleeps until wake(), and sends a comment whenever nothing was sent for 15 s. False when the
    /// client is gone.
    asio::awaitable<bool> wait();

    /// Sleeps until wake() or `deadline` and sends nothing. False when the client is gone.
    asio::awaitable<bool> wait_until(TimePoint deadline);

    /// Something is there to send. From any callback of the loop.
    void wake() { wake_.notify(); }

    asio::awaitable<void> finish() { co_await exchange_.finish_stream(); }

    bool gone() const noexcept { return exchange_.gone(); }

  private:
    Exchange& exchange_;
    Signal wake_;
};

}  // namespace routerd
