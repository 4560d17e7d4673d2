#include "daemon/succession/link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <span>

#include <poll.h>
#include <sys/socket.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

/// Room for the descriptors of one packet, aligned as cmsg(3) wants it.
union Ancillary {
    cmsghdr header;
    std::array<char, CMSG_SPACE(sizeof(int) * Link::most_files)> room;
};

Error gone() {
    return {Errc::unavailable, "the other routerd is gone"};
}

/// Whoever sends: 0, or errno.
int send_packet(int socket, const Packet& packet) {
    auto text = packet.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() > Link::most_bytes || packet.files.size() > Link::most_files) {
        return EMSGSIZE;
    }
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Ancillary ancillary{};
    if (!packet.files.empty()) {
        std::array<int, Link::most_files> files{};
        std::ranges::transform(packet.files, files.begin(),
                               [](const UniqueFd& file) { return file.get(); });
        const auto size = std::min(packet.files.size(), files.size()) * sizeof(int);
        message.msg_control = ancillary.room.data();
        message.msg_controllen = CMSG_SPACE(size);
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), files.data(), size);
    }
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

std::vector<UniqueFd> files_of(msghdr& message) {
    std::vector<UniqueFd> files;
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int file = -1;
            std::memcpy(&file, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            files.emplace_back(file);
        }
    }
    return files;
}

/// nullopt: nothing is there yet.
std::optional<Result<Packet>> receive_packet(int socket) {
    std::string text(Link::most_bytes, '\0');
    iovec part{.iov_base = text.data(), .iov_len = text.size()};
    Ancillary ancillary{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.room.data();
    message.msg_controllen = ancillary.room.size();
    const auto size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return std::nullopt;
    }
    if (size <= 0) {
        return gone();
    }
    Packet packet;
    packet.files = files_of(message);
    text.resize(static_cast<std::size_t>(size));
    packet.body = nlohmann::json::parse(text, nullptr, false);
    if (!packet.body.is_object() || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return Error(Errc::unavailable, "the other routerd says what this one does not understand");
    }
    return packet;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> Link::make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return errno_error("make a pair of sockets", errno);
    }
    return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<Packet> Link::receive_now(int socket, TimePoint deadline) {
    for (;;) {
        auto packet = receive_packet(socket);
        if (packet) {
            return std::move(*packet);
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_now()).count();
        if (left <= 0) {
            return Error(Errc::deadline_exceeded, "the other routerd said nothing in time");
        }
        pollfd event{.fd = socket, .events = POLLIN, .revents = 0};
        ::poll(&event, 1, static_cast<int>(left));
    }
}

Result<void> Link::send_now(int socket, const Packet& packet) {
    const int error = send_packet(socket, packet);
    return error == 0 ? Result<void>() : errno_error("tell the other routerd", error);
}

Link::Link(const asio::any_io_executor& executor, UniqueFd socket)
    : socket_(executor, socket.release()),
      sent_(executor),
      tasks_(executor, "link between two routerds") {}

void Link::send(Packet packet) {
    if (!open_) {
        return;
    }
    waiting_.push_back(std::move(packet));
    if (!sends_ && !send_some()) {
        sends_ = true;
        tasks_.spawn(send_rest());
    }
}

void Link::give_up() {
    open_ = false;
    waiting_.clear();
    sent_.notify();
}

/// False when the socket takes no more now.
bool Link::send_some() {
    while (!waiting_.empty()) {
        const int error = send_packet(socket_.native_handle(), waiting_.front());
        if (error == EAGAIN || error == ETOOMANYREFS) {
            return false;
        }
        if (error == EMSGSIZE) {
            spdlog::error("tell the other routerd: {} bytes are too many",
                          waiting_.front().body.dump().size());
        } else if (error != 0) {
            give_up();
            break;
        }
        waiting_.pop_front();
    }
    sent_.notify();
    return true;
}

asio::awaitable<void> Link::send_rest() {
    constexpr auto pause = std::chrono::milliseconds(5);
    asio::steady_timer timer(socket_.get_executor());
    while (open_ && !send_some()) {
        // Too many descriptors may be under way (ETOOMANYREFS) while the socket takes output.
        timer.expires_after(pause);
        co_await timer.async_wait(no_throw);
    }
    sends_ = false;
}

/// Or for close().
asio::awaitable<void> Link::wait_for_input(TimePoint deadline) {
    asio::steady_timer timer(socket_.get_executor(), deadline);
    if (deadline != TimePoint::max()) {
        timer.async_wait([this](boost::system::error_code error) {
            if (!error) {
                socket_.cancel();
            }
        });
    }
    co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
}

asio::awaitable<Result<Packet>> Link::receive(TimePoint deadline) {
    while (open_) {
        auto packet = receive_packet(socket_.native_handle());
        if (packet) {
            if (!*packet) {
                give_up();
            }
            co_return std::move(*packet);
        }
        if (deadline <= steady_now()) {
            co_return Error(Errc::deadline_exceeded, "the other routerd said nothing in time");
        }
        co_await wait_for_input(deadline);
    }
    co_return gone();
}

asio::awaitable<void> Link::flush() {
    while (!waiting_.empty()) {
        co_await sent_.wait();
    }
}

asio::awaitable<void> Link::close() {
    give_up();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    co_await tasks_.wait();
    socket_.close(ignored);
}

}  // namespace routerd
