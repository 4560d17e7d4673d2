#include "daemon/net/pieces.hpp"

#include <array>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace routerd {
namespace {

constexpr std::size_t pieces_at_once = 16;
constexpr std::size_t joined_most = 4096;  // bytes

/// Small pieces are joined first: a copy costs less than what the kernel does for each piece.
ssize_t send_joined(int socket, std::span<const asio::const_buffer> buffers, int flags) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): nothing is read before it was written
    std::array<char, joined_most> joined;
    std::size_t size = 0;
    for (const auto& buffer : buffers) {
        if (buffer.size() > 0) {
            std::memcpy(joined.data() + size, buffer.data(), buffer.size());
            size += buffer.size();
        }
    }
    return ::send(socket, joined.data(), size, flags);
}

}  // namespace

std::size_t size_of(std::span<const asio::const_buffer> buffers) noexcept {
    std::size_t whole = 0;
    for (const auto& buffer : buffers) {
        whole += buffer.size();
    }
    return whole;
}

void advance(std::span<asio::const_buffer>& buffers, std::size_t sent) noexcept {
    while (!buffers.empty() && sent >= buffers.front().size()) {
        sent -= buffers.front().size();
        buffers = buffers.subspan(1);
    }
    if (sent > 0) {
        buffers.front() += sent;
    }
}

ssize_t send_pieces(int socket, std::span<const asio::const_buffer> buffers, int more) noexcept {
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | more;
    if (buffers.size() == 1) {
        const auto& only = buffers.front();
        return ::send(socket, only.data(), only.size(), flags);
    }
    if (size_of(buffers) <= joined_most) {
        return send_joined(socket, buffers, flags);
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the same
    std::array<iovec, pieces_at_once> pieces;
    std::size_t count = 0;
    for (; count < pieces.size() && count < buffers.size(); ++count) {
        // sendmsg() does not write to it
        pieces[count] = {const_cast<void*>(buffers[count].data()), buffers[count].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    return ::sendmsg(socket, &message, flags);
}

}  // namespace routerd
