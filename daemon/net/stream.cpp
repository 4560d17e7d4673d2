#include "daemon/net/stream.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/error.hpp>
#include <sys/socket.h>
#include <sys/uio.h>

namespace routerd {
namespace {

Error failure(bool timed_out, const char* attempt, const std::string& why) {
    if (timed_out) {
        return {Errc::deadline_exceeded, std::string(attempt) + ": timed out"};
    }
    return {Errc::cancelled, std::string(attempt) + ": " + why};
}

/// Takes `sent` bytes off the front of `buffers`.
void advance(std::span<asio::const_buffer>& buffers, std::size_t sent) noexcept {
    while (!buffers.empty() && sent >= buffers.front().size()) {
        sent -= buffers.front().size();
        buffers = buffers.subspan(1);
    }
    if (sent > 0) {
        buffers.front() += sent;
    }
}

}  // namespace

Stream::Stream(Socket socket, Deadlines& deadlines)
    : Expiring(deadlines), socket_(std::move(socket)) {}

asio::awaitable<Result<std::size_t>> Stream::read_some(asio::mutable_buffer buffer,
                                                       TimePoint deadline) {
    set_deadline(deadline);
    auto [ec, n] = co_await socket_.async_read_some(buffer, no_throw);
    clear_deadline();
    if (ec == asio::error::eof) {
        co_return std::size_t{0};
    }
    if (ec) {
        co_return failure(timed_out_, "read", ec.message());
    }
    co_return n;
}

int Stream::send_now(std::span<asio::const_buffer>& buffers) noexcept {
    constexpr std::size_t at_once = 16;
    while (!buffers.empty()) {
        std::array<iovec, at_once> pieces{};
        std::size_t count = 0;
        for (; count < pieces.size() && count < buffers.size(); ++count) {
            // sendmsg() does not write to it
            pieces[count] = {const_cast<void*>(buffers[count].data()), buffers[count].size()};
        }
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = count;
        const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            return errno;
        }
        advance(buffers, static_cast<std::size_t>(sent));
    }
    return 0;
}

asio::awaitable<Result<void>> Stream::send(std::span<asio::const_buffer> buffers,
                                           TimePoint deadline) {
    for (;;) {
        const int error = socket_.is_open() ? send_now(buffers) : EBADF;
        if (error == 0) {
            co_return boost::system::in_place_value;
        }
        if (error != EAGAIN && error != EINTR) {
            co_return failure(timed_out_, "send", errno_error("", error).message().substr(2));
        }
        set_deadline(deadline);
        auto [ec] = co_await socket_.async_wait(Socket::wait_write, no_throw);
        clear_deadline();
        if (ec) {
            co_return failure(timed_out_, "send", ec.message());
        }
    }
}

asio::awaitable<Result<void>> Stream::send(asio::const_buffer buffer, TimePoint deadline) {
    std::array<asio::const_buffer, 1> buffers{buffer};
    auto sent = co_await send(std::span<asio::const_buffer>(buffers), deadline);
    co_return sent;
}

void Stream::close() noexcept {
    boost::system::error_code ignored;  // closing what is gone is no fault
    socket_.close(ignored);
}

void Stream::abort() noexcept {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

void Stream::shutdown_send() noexcept {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::on_deadline() {
    timed_out_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

}  // namespace routerd
