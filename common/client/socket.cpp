#include "common/client/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace routerd::client {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds connect_limit{2000};

Error unreachable(const std::string& reason) {
    return {Errc::unreachable, reason};
}

Error system_failure(Errc code, int number) {
    return {code, std::generic_category().message(number)};
}

/// Milliseconds for poll(): at least one while the deadline is ahead, at most an hour at a time.
int poll_limit(TimePoint deadline) {
    if (deadline == TimePoint::max()) {
        return -1;
    }
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

/// Waits until `fd` shows one of `events`. Errors: deadline_exceeded, cancelled, unavailable.
Result<void> wait_for(int fd, short events, const Patience& patience) {
    for (;;) {
        std::array<pollfd, 2> watched{
            pollfd{.fd = fd, .events = events, .revents = 0},
            pollfd{.fd = patience.stop_fd, .events = POLLIN, .revents = 0}};
        const int ready = ::poll(watched.data(), watched.size(), poll_limit(patience.deadline));
        if (ready < 0 && errno != EINTR) {
            return errno_error("poll", errno);
        }
        if (watched[1].revents != 0) {
            return Error(Errc::cancelled, "interrupted");
        }
        if (ready > 0 && watched[0].revents != 0) {
            return {};
        }
        if (std::chrono::steady_clock::now() >= patience.deadline) {
            return Error(Errc::deadline_exceeded, "timed out");
        }
    }
}

Result<UniqueFd> connect_to(const sockaddr* address, socklen_t length, const Patience& patience) {
    UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return system_failure(Errc::unreachable, errno);
    }
    if (::connect(fd.get(), address, length) == 0) {
        return fd;
    }
    if (errno != EINPROGRESS) {
        return system_failure(Errc::unreachable, errno);
    }
    const auto waited = wait_for(fd.get(), POLLOUT, patience);
    if (!waited) {
        return waited.error().code() == Errc::deadline_exceeded ? unreachable("no answer in 2 s")
                                                                : waited.error();
    }
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) {
        return system_failure(Errc::unreachable, failure);
    }
    return fd;
}

Result<UniqueFd> connect_unix(const std::string& path, const Patience& patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return unreachable("the path is longer than the " +
                           std::to_string(sizeof address.sun_path - 1) + " bytes of a socket's");
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // The sockets API takes every kind of address as a sockaddr.
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, patience);
}

Result<UniqueFd> connect_tcp(const Address& address, const Patience& patience) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failure =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (failure != 0) {
        return unreachable(::gai_strerror(failure));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    Error last = unreachable("the name has no address");
    for (const auto* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
        auto fd = connect_to(entry->ai_addr, entry->ai_addrlen, patience);
        if (fd) {
            const int on = 1;
            ::setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return fd;
        }
        last = fd.error();
    }
    return last;
}

}  // namespace

Result<Socket> Socket::connect(const Address& address, const Patience& patience) {
    Patience limited = patience;
    limited.deadline =
        std::min(patience.deadline, std::chrono::steady_clock::now() + connect_limit);
    auto fd =
        address.path.empty() ? connect_tcp(address, limited) : connect_unix(address.path, limited);
    if (!fd) {
        return fd.error();
    }
    return Socket(std::move(*fd));
}

Result<void> Socket::send(std::string_view bytes, const Patience& patience) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return system_failure(Errc::upstream_error, errno);
        }
        const auto waited = wait_for(fd_.get(), POLLOUT, patience);
        if (!waited) {
            return waited.error();
        }
    }
    return {};
}

Result<std::size_t> Socket::receive(char* buffer, std::size_t size, const Patience& patience) {
    for (;;) {
        const auto waited = wait_for(fd_.get(), POLLIN, patience);
        if (!waited) {
            return waited.error();
        }
        const auto received = ::recv(fd_.get(), buffer, size, 0);
        if (received >= 0) {
            return static_cast<std::size_t>(received);
        }
        if (errno != EAGAIN && errno != EINTR) {
            return system_failure(Errc::upstream_error, errno);
        }
    }
}

}  // namespace routerd::client
