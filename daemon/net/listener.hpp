#pragma once

#include <functional>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/result.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Where to listen, as written in the configuration.
struct ListenAddress {
    std::string host;           ///< "127.0.0.1", "::1", "0.0.0.0"; empty for a Unix socket
    std::uint16_t port = 0;     ///< 0: any free one
    std::string unix_path;      ///< empty for TCP
    unsigned unix_mode = 0600;  ///< permissions of the socket file

    bool is_unix() const noexcept { return !unix_path.empty(); }
    bool is_loopback() const noexcept;
    /// "127.0.0.1:8080", "[::1]:8080", "unix:///run/x.sock".
    std::string text() const;
};

/// Reads "host:port", "[v6]:port", ":port" (all addresses), "unix:///path". "localhost" is
/// 127.0.0.1. Errors: invalid_request.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// Accepts connections on one address and hands each to a callback. A Unix socket's file is removed
/// by the destructor. Core loop only.
class Listener {
  public:
    using OnAccept = std::function<void(Socket)>;

    /// Binds and listens. A stale Unix socket file is replaced, one that answers is not. Errors:
    /// unavailable, naming the address and, for a port that is taken, what to do.
    static Result<Listener> open(const asio::any_io_executor& executor, ListenAddress address);

    Listener(Listener&&) noexcept;
    Listener& operator=(Listener&&) = delete;
    ~Listener();

    /// With the port that the kernel chose, where 0 was asked for.
    const ListenAddress& address() const noexcept { return address_; }

    /// Accepts until close(). Out of descriptors or memory it pauses instead of spinning.
    asio::awaitable<void> run(OnAccept on_accept);

    /// Stops accepting; run() returns.
    void close() noexcept;

  private:
    using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
    Listener(Acceptor acceptor, ListenAddress address);

    Acceptor acceptor_;
    asio::steady_timer pause_;
    ListenAddress address_;
};

}  // namespace routerd
