#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/unique_fd.hpp"
#include "common/client/address.hpp"

namespace routerd::client {

/// How long a call may take, and what ends it early.
struct Patience {
    TimePoint deadline = TimePoint::max();
    int stop_fd = -1;  ///< readable once the user wants to stop (Ctrl-C); -1: none; not owned
};

/// A connected stream socket, for one thread, blocking with a deadline. Every call may fail with
/// deadline_exceeded, cancelled (stop_fd) or upstream_error (the peer broke off).
class Socket {
  public:
    /// Gives up after two seconds at the latest. Errors: unreachable, with the system's reason.
    static Result<Socket> connect(const Address& address, const Patience& patience);

    Result<void> send(std::string_view bytes, const Patience& patience);

    /// Waits for at least one byte; 0 at the end of the stream.
    Result<std::size_t> receive(char* buffer, std::size_t size, const Patience& patience);

  private:
    explicit Socket(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

}  // namespace routerd::client
