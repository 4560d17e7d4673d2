#pragma once

#include <cstddef>
#include <span>

#include <boost/asio/buffer.hpp>
#include <sys/types.h>

#include "common/base/unique_fd.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Passes pages of memory to Unix sockets without a copy, by way of a pipe (vmsplice(2),
/// splice(2)), which costs a third of a send() of them. The kernel reads the pages where they are
/// until the peer has taken all. One a loop; its thread only.
class Lender {
  public:
    /// Like sendmsg() to a socket that does not wait: bytes that went, or -1 and errno. Pieces of
    /// `least` bytes and more may not change before the peer has taken them, what did not go
    /// included where this fails; smaller ones are copied. `pieces` is not empty, nor the first of
    /// it. Where the system has no way to do it, it is a send().
    ssize_t send(int socket, std::span<const asio::const_buffer> pieces) noexcept;

    static constexpr std::size_t least = 16U << 10U;  ///< bytes that are worth it

  private:
    bool make_pipe() noexcept;
    std::size_t fill(std::span<const asio::const_buffer> pieces) noexcept;
    ssize_t pass_on(int socket, std::size_t size) noexcept;
    void discard() noexcept;

    bool is_allowed_ = true;
    UniqueFd in_;
    UniqueFd out_;
};

}  // namespace routerd
