#include "daemon/net/listener.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

constexpr int backlog = 1024;
constexpr std::chrono::milliseconds exhausted_pause(100);
constexpr unsigned accepted_at_once = 64;  // then others have their turn
constexpr int unsent_most = 128 << 10;     // bytes in the kernel for a client that does not read

struct NativeAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    int family = AF_UNSPEC;

    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

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

/// Somebody accepts on this Unix socket: it must not be taken away from them.
bool answers(NativeAddress& native) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return probe && ::connect(probe.get(), native.get(), native.length) == 0;
}

Result<void> clear_stale_socket(const ListenAddress& address, NativeAddress& native) {
    struct stat found {};
    if (::lstat(address.unix_path.c_str(), &found) != 0) {
        return {};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return Error(Errc::conflict, "'" + address.unix_path + "' exists and is not a socket");
    }
    if (answers(native)) {
        return Error(Errc::conflict, "another process serves on this socket")
            .with_hint("stop it, or choose another path");
    }
    if (::unlink(address.unix_path.c_str()) != 0) {
        return errno_error("remove the stale socket", errno);
    }
    return {};
}

Error bind_error(const ListenAddress& address, int error) {
    if (error == EADDRINUSE) {
        return Error(Errc::conflict, "the port is taken by another process")
            .with_hint("see who has it with: ss -ltnp 'sport = :" + std::to_string(address.port) +
                       "'; or choose another address: http.listen in the configuration, or "
                       "ROUTERD_HTTP_LISTEN");
    }
    return errno_error("bind", error);
}

std::string unix_path_in(const NativeAddress& native) {
    sockaddr_un address{};
    std::memcpy(&address, &native.storage, sizeof(address));
    const auto begin = offsetof(sockaddr_un, sun_path);
    const auto most = native.length > begin ? native.length - begin : 0;
    return {address.sun_path, ::strnlen(address.sun_path, most)};
}

/// Where a socket is bound. Errors: invalid_request for what is no address that we can name.
Result<ListenAddress> address_of(int fd) {
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

/// Accepted sockets inherit these.
void set_options_of_accepted(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_most, sizeof(unsent_most));
}

Result<UniqueFd> open_listening(const ListenAddress& address, NativeAddress& native) {
    UniqueFd fd(::socket(native.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return errno_error("open a socket", errno);
    }
    if (address.is_unix()) {
        const auto cleared = clear_stale_socket(address, native);
        if (!cleared) {
            return cleared.error();
        }
        const auto old_mask = ::umask(0177);  // never wider than its owner, not even for a moment
        const int bound = ::bind(fd.get(), native.get(), native.length);
        const int error = errno;
        ::umask(old_mask);
        if (bound != 0) {
            return errno_error("bind", error);
        }
        if (::chmod(address.unix_path.c_str(), static_cast<mode_t>(address.unix_mode)) != 0) {
            return errno_error("set permissions", errno);
        }
    } else {
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        set_options_of_accepted(fd.get());
        if (::bind(fd.get(), native.get(), native.length) != 0) {
            return bind_error(address, errno);
        }
    }
    if (::listen(fd.get(), backlog) != 0) {
        return bind_error(address, errno);
    }
    return fd;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    const bool has = text.starts_with(prefix);
    text.remove_prefix(has ? prefix.size() : 0);
    return has;
}

bool is_listening_stream(int fd) {
    int type = 0;
    int listening = 0;
    socklen_t size = sizeof(type);
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

Result<HandedOver> take_one(int fd, std::string name) {
    const auto attempt =
        "use socket '" + name + "' (descriptor " + std::to_string(fd) + ") of the service manager";
    UniqueFd socket(fd);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!is_listening_stream(fd)) {
        return Error(Errc::invalid_request, attempt + ": it is no listening stream socket")
            .with_hint("its unit needs ListenStream= and Accept=no");
    }
    auto address = address_of(fd);
    if (!address) {
        return address.error().within(attempt);
    }
    address->tls = name == "https" && !address->is_unix();
    HandedOver taken;
    taken.socket = std::move(socket);
    taken.address = std::move(*address);
    taken.name = std::move(name);
    return taken;
}

std::string take_variable(const char* name) {
    const char* const found = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no threads yet
    std::string value = found != nullptr ? found : "";
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value;
}

bool is_exhaustion(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

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
    const Error bad(
        Errc::invalid_request,
        "'" + std::string(text) +
            "' is not an address (examples: 127.0.0.1:8080, https://[::1]:8443, unix:///path)");
    ListenAddress address;
    if (take_prefix(text, "unix://")) {
        address.unix_path = text;
        return address.unix_path.starts_with('/') ? Result<ListenAddress>(address) : bad;
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
    const auto port = text.substr(colon + 1);
    const auto* end = port.data() + port.size();
    const auto [stop, error] = std::from_chars(port.data(), end, address.port);
    if (port.empty() || error != std::errc{} || stop != end) {
        return bad;
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    address.host = host.empty() || host == "*" ? "0.0.0.0"
                   : host == "localhost"       ? "127.0.0.1"
                                               : host;
    const auto native = to_native(address);
    return native ? Result<ListenAddress>(address) : bad;
}

Result<Listener> Listener::open(IoLoop& loop, ListenAddress address) {
    const auto attempt = "listen on " + address.text();
    auto native = to_native(address);
    if (!native) {
        return native.error().within(attempt);
    }
    auto fd = open_listening(address, *native);
    if (!fd) {
        return fd.error().within(attempt);
    }
    HandedOver made;
    made.asked = address;
    made.owns_file = address.is_unix();
    made.address = std::move(address);
    if (!made.address.is_unix()) {
        const auto bound = address_of(fd->get());
        if (!bound) {
            return bound.error().within(attempt);
        }
        made.address.port = bound->port;
    }
    made.socket = std::move(*fd);
    return Listener(loop, std::move(made));
}

Listener Listener::adopt(IoLoop& loop, HandedOver handed) {
    const int fd = handed.socket.get();
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!handed.address.is_unix()) {
        set_options_of_accepted(fd);
    }
    return {loop, std::move(handed)};
}

Result<std::vector<HandedOver>> take_handed_over() {
    constexpr int first = 3;  // SD_LISTEN_FDS_START
    const auto pid = take_variable("LISTEN_PID");
    const auto count = take_variable("LISTEN_FDS");
    const auto names = take_variable("LISTEN_FDNAMES");
    std::vector<HandedOver> handed;
    int number = 0;
    const auto* end = count.data() + count.size();
    if (pid != std::to_string(::getpid()) ||
        std::from_chars(count.data(), end, number).ptr != end) {
        return handed;
    }
    const auto each = split(names, ':');
    for (int i = 0; i < number; ++i) {
        const auto at = static_cast<std::size_t>(i);
        auto one = take_one(first + i, at < each.size() ? std::string(each[at]) : std::string());
        if (!one) {
            return one.error();
        }
        handed.push_back(std::move(*one));
    }
    return handed;
}

Listener::Listener(IoLoop& loop, HandedOver handed)
    : loop_(&loop),
      socket_(std::move(handed.socket)),
      door_(std::make_unique<Door>()),
      pause_(loop.executor()),
      address_(std::move(handed.address)),
      asked_(std::move(handed.asked)),
      name_(std::move(handed.name)),
      owns_file_(handed.owns_file) {}

Listener::Listener(Listener&& other) noexcept
    : loop_(other.loop_),
      socket_(std::move(other.socket_)),
      door_(std::move(other.door_)),
      pause_(loop_->executor()),
      address_(std::exchange(other.address_, {})),
      asked_(std::exchange(other.asked_, {})),
      name_(std::exchange(other.name_, {})),
      owns_file_(std::exchange(other.owns_file_, false)),
      retires_(other.retires_) {}

Listener::~Listener() {
    close();
}

Listener::Came Listener::accept_some(const OnAccept& on_accept) {
    for (unsigned count = 0; socket_ && count < accepted_at_once; ++count) {
        UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket) {
            on_accept(std::move(socket));
            continue;
        }
        const int error = errno;
        if (is_exhaustion(error)) {
            spdlog::warn("accept on {}: {}, pausing", address_.text(), std::strerror(error));
            return Came::nothing;
        }
        if (error == EAGAIN) {
            return Came::all;
        }
        spdlog::debug("accept on {}: {}", address_.text(), std::strerror(error));
    }
    return Came::some;
}

asio::awaitable<void> Listener::run(OnAccept on_accept) {
    if (!socket_) {
        co_return;
    }
    loop_->poller().add(socket_.get(), *door_);
    door_->watched = true;
    while (socket_) {
        if (!std::exchange(door_->called, false)) {
            co_await door_->caller.wait();
            continue;
        }
        const auto came = accept_some(on_accept);
        if (retires_ && came != Came::some) {
            close();
        } else if (came == Came::nothing) {
            pause_.expires_after(exhausted_pause);
            co_await pause_.async_wait(no_throw);
            door_->called = true;
        } else if (came == Came::some && retires_) {
            door_->called = true;
        } else if (came == Came::some && socket_) {
            loop_->poller().again(*door_);
        }
    }
}

UniqueFd Listener::take_socket() noexcept {
    if (socket_ && door_->watched) {
        loop_->poller().remove(socket_.get(), *door_);
    }
    return std::move(socket_);
}

void Listener::close() noexcept {
    const auto socket = take_socket();
    if (!socket) {
        return;
    }
    if (owns_file_) {
        ::unlink(address_.unix_path.c_str());
    }
    pause_.cancel();
    door_->caller.resume();
}

void Listener::retire() {
    retires_ = true;
    door_->called = true;
    door_->caller.resume();
}

HandedOver Listener::release() noexcept {
    HandedOver released;
    released.socket = take_socket();
    released.address = address_;
    released.asked = asked_;
    released.name = name_;
    released.owns_file = owns_file_;
    pause_.cancel();
    door_->caller.resume();
    return released;
}

}  // namespace routerd
