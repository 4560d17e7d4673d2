#pragma once

#include <cstddef>
#include <span>

#include <boost/asio/buffer.hpp>

#include "common/base/result.hpp"
#include "daemon/net/deadlines.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// A connected socket whose every wait has an end. One coroutine reads and writes at a time;
/// close() and abort() may come from anywhere on the loop and end what waits with Errc::cancelled.
class Stream : private Expiring {
  public:
    Stream(Socket socket, Deadlines& deadlines);

    /// Reads at least one byte. 0 is the peer's orderly end. Errors: deadline_exceeded, cancelled
    /// (reset, or closed by us).
    asio::awaitable<Result<std::size_t>> read_some(asio::mutable_buffer buffer, TimePoint deadline);

    /// Sends all of `buffers` (changed on the way); often without suspending. Same errors.
    asio::awaitable<Result<void>> send(std::span<asio::const_buffer> buffers, TimePoint deadline);
    asio::awaitable<Result<void>> send(asio::const_buffer buffer, TimePoint deadline);

    bool is_open() const noexcept { return socket_.is_open(); }
    bool timed_out() const noexcept { return timed_out_; }
    Socket& socket() noexcept { return socket_; }

    /// Ends what waits, then closes. The peer sees an orderly end unless it has unread data.
    void close() noexcept;

    /// Closes so that the peer sees a reset: what came before was not the end of an answer.
    void abort() noexcept;

    /// Orderly end of our side; what the peer still sends can be read.
    void shutdown_send() noexcept;

    using Expiring::clear_deadline;
    using Expiring::set_deadline;

  private:
    void on_deadline() override;
    /// Sends what the socket takes now. Errors: errno values other than EAGAIN.
    int send_now(std::span<asio::const_buffer>& buffers) noexcept;

    Socket socket_;
    bool timed_out_ = false;
};

}  // namespace routerd
