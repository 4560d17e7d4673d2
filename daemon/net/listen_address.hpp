#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "common/base/result.hpp"

namespace routerd {

/// Where to listen, as written in the configuration.
struct ListenAddress {
    std::string host;        ///< "127.0.0.1", "::1", "0.0.0.0"; empty for a Unix socket
    std::uint16_t port = 0;  ///< 0: any free one
    bool tls = false;
    std::string unix_path;      ///< empty for TCP
    unsigned unix_mode = 0600;  ///< permissions of the socket file

    bool operator==(const ListenAddress&) const = default;
    bool is_unix() const noexcept { return !unix_path.empty(); }
    bool is_loopback() const noexcept;
    /// "127.0.0.1:8080", "[::1]:8080", "unix:///run/x.sock".
    std::string text() const;
    /// "https://127.0.0.1:8080", "http://[::1]:8080", "unix:///run/x.sock".
    std::string url() const;
};

/// Reads "host:port", "[v6]:port", ":port" (all addresses), "unix:///path"; "https://" in front of
/// a host is TLS, "http://" says nothing new. "localhost" is 127.0.0.1. Errors: invalid_request.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// The same as the system takes it.
struct NativeAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    int family = AF_UNSPEC;

    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Errors: invalid_request, for what is no address of this kind.
Result<NativeAddress> to_native(const ListenAddress& address);

/// Where a socket is bound. Errors: invalid_request for what is no address that we can name.
Result<ListenAddress> bound_address(int fd);

}  // namespace routerd
