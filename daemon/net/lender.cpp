#include "daemon/net/lender.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

constexpr std::size_t at_once = 256U << 10U;  // bytes in the pipe: what a socket usually takes

/// splice() cannot be told what send() is by MSG_NOSIGNAL. Programs that are started have the usual
/// signals (see Child).
void ignore_broken_pipes() noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace

bool Lender::make_pipe() noexcept {
    if (in_ || !is_allowed_) {
        return is_allowed_;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;  // too many files are open now
    }
    out_ = UniqueFd(ends[0]);
    in_ = UniqueFd(ends[1]);
    ::fcntl(in_.get(), F_SETPIPE_SZ, static_cast<int>(at_once));  // else it goes in smaller parts
    ignore_broken_pipes();
    return true;
}

/// What is left in the pipe goes with it.
void Lender::discard() noexcept {
    in_.reset();
    out_.reset();
}

/// From the pipe to the socket.
ssize_t Lender::pass_on(int socket, std::size_t size) noexcept {
    std::size_t moved = 0;
    int failure = 0;
    while (moved < size && failure == 0) {
        const auto count = ::splice(out_.get(), nullptr, socket, nullptr, size - moved,
                                    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (count > 0) {
            moved += static_cast<std::size_t>(count);
        } else if (count == 0 || errno != EINTR) {
            failure = count == 0 ? EPIPE : errno;
        }
    }
    if (failure != 0) {
        discard();
        errno = failure;
    }
    return moved > 0 ? static_cast<ssize_t>(moved) : -1;
}

/// Into the pipe, as much as goes; what is small as a copy. Bytes.
std::size_t Lender::fill(std::span<const asio::const_buffer> pieces) noexcept {
    std::size_t filled = 0;
    for (const auto& piece : pieces) {
        const iovec bytes{const_cast<void*>(piece.data()), std::min(piece.size(), at_once)};
        const auto count = piece.size() < least
                               ? ::writev(in_.get(), &bytes, 1)
                               : ::vmsplice(in_.get(), &bytes, 1, SPLICE_F_NONBLOCK);
        filled += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        if (count != static_cast<ssize_t>(piece.size())) {
            break;
        }
    }
    return filled;
}

ssize_t Lender::send(int socket, std::span<const asio::const_buffer> pieces) noexcept {
    if (make_pipe()) {
        const auto filled = fill(pieces);
        const auto moved = filled > 0 ? pass_on(socket, filled) : -1;
        const bool is_possible = moved > 0 || (filled > 0 && errno != EINVAL && errno != EPERM);
        if (is_possible) {
            return moved;
        }
        spdlog::info("lend memory to a server: {}: bodies are copied from now on",
                     std::generic_category().message(errno));
        is_allowed_ = false;
        discard();
    }
    const auto& first = pieces.front();
    return ::send(socket, first.data(), first.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace routerd
