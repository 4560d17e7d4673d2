#include "daemon/net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

constexpr int backlog = 1024;
constexpr std::chrono::milliseconds exhausted_pause(100);
constexpr unsigned accepted_at_once = 2;  // then others have their turn
constexpr int unsent_most = 128 << 10;    // bytes in the kernel for a client that does not read

/// Nobody accepts on this Unix socket any more: else it must not be taken away from them, whoever
/// they are and however busy.
bool is_abandoned(NativeAddress& native) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return probe && ::connect(probe.get(), native.get(), native.length) != 0 &&
           errno == ECONNREFUSED;
}

Result<void> clear_stale_socket(const ListenAddress& address, NativeAddress& native) {
    struct stat found {};
    if (::lstat(address.unix_path.c_str(), &found) != 0) {
        return {};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return Error(Errc::conflict, "'" + address.unix_path + "' exists and is not a socket");
    }
    if (!is_abandoned(native)) {
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
    auto address = bound_address(fd);
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
        const auto bound = bound_address(fd->get());
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
      retires_(other.retires_),
      last_descriptor_(other.last_descriptor_),
      is_short_(other.is_short_) {}

Listener::~Listener() {
    close();
}

void Listener::leave_descriptors(int count) noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        const auto most = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, INT_MAX));
        last_descriptor_ = most - std::min(count, most / 8);
    }
}

/// Said once, not at each try.
Listener::Came Listener::pause_for(const char* why) {
    if (!std::exchange(is_short_, true)) {
        spdlog::warn(
            "accept on {}: {}: who connects waits until some are free (LimitNOFILE= of "
            "the unit, ulimit -n)",
            address_.text(), why);
    }
    return Came::nothing;
}

bool Listener::has_room() {
    if (!is_short_) {
        return true;
    }
    const UniqueFd lowest(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
    is_short_ = !lowest || lowest.get() >= last_descriptor_;
    if (!is_short_) {
        spdlog::info("accept on {}: goes on", address_.text());
    }
    return !is_short_;
}

/// `some`: one was accepted, or was gone before it could be.
Listener::Came Listener::accept_one(const OnAccept& on_accept) {
    UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
        const int descriptor = socket.get();
        on_accept(std::move(socket));
        return descriptor < last_descriptor_ ? Came::some : pause_for("few descriptors are left");
    }
    const int error = errno;
    if (error == EAGAIN) {
        return Came::all;
    }
    if (is_exhaustion(error)) {
        return pause_for(::strerrordesc_np(error));
    }
    spdlog::debug("accept on {}: {}", address_.text(), ::strerrordesc_np(error));
    return Came::some;
}

Listener::Came Listener::accept_some(const OnAccept& on_accept) {
    if (!has_room()) {
        return Came::nothing;
    }
    auto came = Came::some;
    for (unsigned count = 0; came == Came::some && socket_ && count < accepted_at_once; ++count) {
        came = accept_one(on_accept);
    }
    return came;
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
