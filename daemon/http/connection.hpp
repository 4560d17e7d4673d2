#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/net/stream.hpp"
#include "daemon/net/wakeup.hpp"

namespace routerd {

/// A client's connection. One read is always outstanding, also while a request is being served:
/// that is how a client that leaves is noticed at once, and without a second coroutine. Bytes that
/// come early (a pipelined request) wait in the input buffer, which never grows beyond what a
/// caller asked for. Owned by its session; core loop only.
class Connection {
  public:
    Connection(Socket socket, Deadlines& deadlines, bool is_control);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Came over the control socket: its user is the administrator.
    bool is_control() const noexcept { return is_control_; }

    /// Received and not consumed yet. Valid until the next receive().
    std::string_view input() const noexcept;
    void consume(std::size_t count) noexcept;

    /// Waits for more input; makes room for at least `room` bytes of it in all. Errors: cancelled
    /// (the client left), deadline_exceeded.
    asio::awaitable<Result<void>> receive(std::size_t room, TimePoint deadline);

    /// Sends all. Errors: cancelled, deadline_exceeded; either way the connection is of no more
    /// use.
    asio::awaitable<Result<void>> send(std::span<asio::const_buffer> buffers, TimePoint deadline);
    asio::awaitable<Result<void>> send(std::string_view bytes, TimePoint deadline);

    /// From now on `callback` is called once, from the loop, when the client leaves or the
    /// connection is aborted; at once when it has left already. nullptr: nobody wants to know any
    /// more.
    void on_gone(std::function<void()> callback);
    bool gone() const noexcept { return gone_; }

    /// Nothing that was sent is to look like the end of an answer.
    void abort() noexcept;

    /// Orderly end: what was sent arrives, what the client still sends is read for a moment and
    /// thrown away, so that a reset does not destroy our last answer (RFC 9112 9.6).
    asio::awaitable<void> finish();

  private:
    void arm();
    void on_read(const boost::system::error_code& ec, std::size_t count);
    void mark_gone();

    Stream stream_;
    bool is_control_;
    std::vector<char> buffer_;
    std::size_t head_ = 0;  // first byte not consumed
    std::size_t tail_ = 0;  // end of what was received
    bool armed_ = false;    // a read is outstanding into [tail_, buffer_.size())
    bool gone_ = false;
    Wakeup received_;  // receive() sleeps here
    std::function<void()> on_gone_;
    bool closing_ = false;  // abort() was called: the read ends, nobody is told twice
    Wakeup settled_;        // the last read has ended: the destructor may run
    friend class Server;
    asio::awaitable<void> settle();
};

}  // namespace routerd
