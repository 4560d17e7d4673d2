#include "daemon/net/listen_address.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "common/base/number.hpp"

namespace routerd {
namespace {

Result<NativeAddress> native_unix(const std::string& path) {
    NativeAddress native;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return Error(Errc::invalid_request, "socket path '" + path + "' is longer than " +
                                                std::to_string(sizeof(address.sun_path) - 1) +
                                                " bytes, which the system does not allow");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    std::memcpy(&native.storage, &address, sizeof(address));
    native.length = sizeof(address);
    native.family = AF_UNIX;
    return native;
}

std::string unix_path_in(const NativeAddress& native) {
    sockaddr_un address{};
    std::memcpy(&address, &native.storage, sizeof(address));
    const auto begin = offsetof(sockaddr_un, sun_path);
    const auto most = native.length > begin ? native.length - begin : 0;
    return {address.sun_path, ::strnlen(address.sun_path, most)};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    const bool has = text.starts_with(prefix);
    text.remove_prefix(has ? prefix.size() : 0);
    return has;
}

}  // namespace

Result<NativeAddress> to_native(const ListenAddress& address) {
    if (address.is_unix()) {
        return native_unix(address.unix_path);
    }
    NativeAddress native;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        std::memcpy(&native.storage, &v4, sizeof(v4));
        native.length = sizeof(v4);
        native.family = AF_INET;
        return native;
    }
    if (::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        std::memcpy(&native.storage, &v6, sizeof(v6));
        native.length = sizeof(v6);
        native.family = AF_INET6;
        return native;
    }
    return Error(Errc::invalid_request, "'" + address.host + "' is not an IP address");
}

Result<ListenAddress> bound_address(int fd) {
    NativeAddress native;
    native.length = sizeof(native.storage);
    if (::getsockname(fd, native.get(), &native.length) != 0) {
        return errno_error("look where the socket is bound", errno);
    }
    ListenAddress address;
    std::array<char, INET6_ADDRSTRLEN> host{};
    const auto host_size = static_cast<socklen_t>(host.size());
    if (native.storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &native.storage, sizeof(v4));
        address.host = ::inet_ntop(AF_INET, &v4.sin_addr, host.data(), host_size);
        address.port = ntohs(v4.sin_port);
    } else if (native.storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &native.storage, sizeof(v6));
        address.host = ::inet_ntop(AF_INET6, &v6.sin6_addr, host.data(), host_size);
        address.port = ntohs(v6.sin6_port);
    } else if (native.storage.ss_family == AF_UNIX) {
        address.unix_path = unix_path_in(native);
    }
    if (address.host.empty() && address.unix_path.empty()) {
        return Error(Errc::invalid_request, "it is not bound to an IP address or a path");
    }
    return address;
}

bool ListenAddress::is_loopback() const noexcept {
    return is_unix() || host.starts_with("127.") || host == "::1";
}

std::string ListenAddress::text() const {
    if (is_unix()) {
        return "unix://" + unix_path;
    }
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ListenAddress::url() const {
    return (is_unix() ? "" : tls ? "https://" : "http://") + text();
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
    Error bad(
        Errc::invalid_request,
        "'" + std::string(text) +
            "' is not an address (examples: 127.0.0.1:8080, https://[::1]:8443, unix:///path)");
    ListenAddress address;
    if (take_prefix(text, "unix://")) {
        address.unix_path = text;
        return address.unix_path.starts_with('/') ? Result<ListenAddress>(address) : std::move(bad);
    }
    address.tls = take_prefix(text, "https://");
    if (!address.tls) {
        take_prefix(text, "http://");
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return bad;
    }
    auto host = text.substr(0, colon);
    const auto port = number_in<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return bad;
    }
    address.port = *port;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    address.host = host.empty() || host == "*" ? "0.0.0.0"
                   : host == "localhost"       ? "127.0.0.1"
                                               : host;
    const auto native = to_native(address);
    return native ? Result<ListenAddress>(address) : bad;
}

}  // namespace routerd
