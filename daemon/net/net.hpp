#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace routerd {

namespace asio = boost::asio;

/// Completion token for every I/O call in the daemon: the error code comes back as a value.
/// `auto [ec, n] = co_await stream.async_read_some(buffer, no_throw);`
inline constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

/// A connected stream, TCP or Unix: one type for clients and for model servers.
using Socket = asio::generic::stream_protocol::socket;

}  // namespace routerd
