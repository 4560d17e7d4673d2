#include "daemon/control/event_stream.hpp"

#include <chrono>
#include <string>

namespace routerd {

EventStream::EventStream(Exchange& exchange, const asio::any_io_executor& executor)
    : exchange_(exchange), wake_(executor) {}

EventStream::~EventStream() {
    exchange_.on_gone(nullptr);
}

asio::awaitable<bool> EventStream::begin() {
    const bool begun = co_await exchange_.begin_stream(200, "text/event-stream");
    if (!begun) {
        co_return false;
    }
    if (exchange_.is_head_request()) {
        co_await exchange_.finish_stream();
        co_return false;
    }
    exchange_.on_gone([this] { wake_.notify(); });
    co_return true;
}

asio::awaitable<bool> EventStream::send(std::string_view name, std::string_view data,
                                        std::string_view id) {
    std::string event;
    if (!id.empty()) {
        event.append("id: ").append(id).append("\n");
    }
    event.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
    co_return co_await exchange_.write(event);
}

asio::awaitable<bool> EventStream::wait() {
    constexpr std::chrono::seconds silence(15);
    for (;;) {
        const auto deadline = std::chrono::steady_clock::now() + silence;
        const bool woken = co_await wake_.wait_until(deadline);
        if (woken || exchange_.gone()) {
            co_return !exchange_.gone();
        }
        const bool alive = co_await exchange_.write(": alive\n\n");
        if (!alive) {
            co_return false;
        }
    }
}

asio::awaitable<bool> EventStream::wait_until(TimePoint deadline) {
    co_await wake_.wait_until(deadline);
    co_return !exchange_.gone();
}

}  // namespace routerd
