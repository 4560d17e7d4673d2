#include "daemon/http/connection.hpp"

#include <array>
#include <cassert>
#include <chrono>
#include <cstring>
#include <utility>

namespace routerd {
namespace {

constexpr std::size_t initial_room = 2048;  // bytes; enough for most heads
constexpr std::chrono::milliseconds linger(500);

}  // namespace

Connection::Connection(Socket socket, Deadlines& deadlines, bool is_control)
    : stream_(std::move(socket), deadlines), is_control_(is_control) {}

Connection::~Connection() {
    assert(!armed_);  // the outstanding read writes into the buffer
}

std::string_view Connection::input() const noexcept {
    return {buffer_.data() + head_, tail_ - head_};
}

void Connection::consume(std::size_t count) noexcept {
    head_ += count;
    if (head_ == tail_ && !armed_) {
        head_ = tail_ = 0;
    }
}

void Connection::arm() {
    if (armed_ || gone_ || tail_ == buffer_.size()) {
        return;
    }
    armed_ = true;
    stream_.socket().async_read_some(
        asio::buffer(buffer_.data() + tail_, buffer_.size() - tail_),
        [this](const boost::system::error_code& ec, std::size_t count) { on_read(ec, count); });
}

void Connection::on_read(const boost::system::error_code& ec, std::size_t count) {
    armed_ = false;
    tail_ += count;
    const bool cut_by_deadline = ec && stream_.timed_out() && !closing_;
    if (ec && !cut_by_deadline) {
        mark_gone();
    }
    if (received_.has_sleeper()) {
        received_.resume();
    } else if (settled_.has_sleeper()) {
        settled_.resume();
    } else if (!ec) {
        arm();  // a pipelined request; the client may still leave
    }
}

void Connection::mark_gone() {
    gone_ = true;
    if (auto callback = std::exchange(on_gone_, nullptr)) {
        callback();
    }
}

asio::awaitable<Result<void>> Connection::receive(std::size_t room, TimePoint deadline) {
    if (!armed_) {
        if (head_ > 0) {
            std::memmove(buffer_.data(), buffer_.data() + head_, tail_ - head_);
            tail_ -= head_;
            head_ = 0;
        }
        if (buffer_.size() < std::max(room, initial_room)) {
            buffer_.resize(std::max(room, initial_room));
        }
    }
    const auto had = tail_;
    arm();
    if (armed_) {
        stream_.set_deadline(deadline);
        co_await received_.wait();
        stream_.clear_deadline();
    }
    if (tail_ > had) {
        co_return boost::system::in_place_value;
    }
    if (gone_) {
        co_return Error(Errc::cancelled, "the client left");
    }
    co_return Error(Errc::deadline_exceeded, "the client sent nothing in time");
}

asio::awaitable<Result<void>> Connection::send(std::span<asio::const_buffer> buffers,
                                               TimePoint deadline) {
    auto sent = co_await stream_.send(buffers, deadline);
    co_return sent;
}

asio::awaitable<Result<void>> Connection::send(std::string_view bytes, TimePoint deadline) {
    std::array<asio::const_buffer, 1> buffers{asio::buffer(bytes)};
    auto sent = co_await stream_.send(std::span<asio::const_buffer>(buffers), deadline);
    co_return sent;
}

void Connection::on_gone(std::function<void()> callback) {
    if (callback && gone_) {
        callback();
        return;
    }
    on_gone_ = std::move(callback);
    if (on_gone_) {
        if (buffer_.empty()) {
            buffer_.resize(initial_room);
        }
        arm();
    }
}

void Connection::abort() noexcept {
    closing_ = true;
    stream_.abort();
    if (!gone_) {
        mark_gone();
    }
}

asio::awaitable<void> Connection::finish() {
    stream_.shutdown_send();
    const auto deadline = std::chrono::steady_clock::now() + linger;
    constexpr std::size_t most = 64U << 10U;  // bytes thrown away at most
    for (std::size_t thrown = 0; !gone_ && thrown < most;) {
        thrown += input().size();
        consume(input().size());
        const auto more = co_await receive(initial_room, deadline);
        if (!more) {
            break;
        }
    }
}

asio::awaitable<void> Connection::settle() {
    closing_ = true;
    gone_ = true;
    on_gone_ = nullptr;
    stream_.close();
    if (armed_) {
        co_await settled_.wait();
    }
}

}  // namespace routerd
