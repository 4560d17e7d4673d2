#pragma once

#include <cstddef>
#include <span>

#include <boost/asio/buffer.hpp>
#include <sys/types.h>

#include "daemon/net/net.hpp"

namespace routerd {

/// Bytes of all of them.
std::size_t size_of(std::span<const asio::const_buffer> buffers) noexcept;

/// Takes `sent` bytes off the front of `buffers`.
void advance(std::span<asio::const_buffer>& buffers, std::size_t sent) noexcept;

/// Sends what the socket takes now, by one send(2) or sendmsg(2), whose result and errno it is.
/// `more`: MSG_MORE, else 0.
ssize_t send_pieces(int socket, std::span<const asio::const_buffer> buffers, int more) noexcept;

}  // namespace routerd
