#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <nlohmann/json.hpp>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/net/task_group.hpp"

namespace routerd {

/// What one routerd says to the other: a text that is small, and descriptors with it.
struct Packet {
    nlohmann::json body;
    std::vector<UniqueFd> files;
};

/// The channel between a routerd and its successor: packets, whole and in order, over a pair of
/// SOCK_SEQPACKET sockets (unix(7)).
class Link {
  public:
    static constexpr std::size_t most_bytes = 128U << 10U;  ///< of a packet
    static constexpr std::size_t most_files = 8;            ///< with it

    /// A new pair; closed on exec. Errors: unavailable.
    static Result<std::pair<UniqueFd, UniqueFd>> make_pair();

    /// One packet, waiting for it: before there is a loop. Errors: unavailable (the other end is
    /// gone, or what came is no packet), deadline_exceeded.
    static Result<Packet> receive_now(int socket, TimePoint deadline);
    static Result<void> send_now(int socket, const Packet& packet);

    /// From now on on the loop.
    Link(const asio::any_io_executor& executor, UniqueFd socket);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// Never waits. What the other end does not read is kept; what it cannot read any more is
    /// dropped.
    void send(Packet packet);
    void say(nlohmann::json body) { send(Packet{std::move(body), {}}); }

    /// The next packet; one coroutine at a time. Errors: as receive_now().
    asio::awaitable<Result<Packet>> receive(TimePoint deadline = TimePoint::max());

    /// Returns when everything was sent or the other end is gone.
    asio::awaitable<void> flush();

    /// Ends it, so that receive() returns, and waits for what runs.
    asio::awaitable<void> close();

    bool is_open() const noexcept { return open_; }

  private:
    bool send_some();
    asio::awaitable<void> wait_for_input(TimePoint deadline);
    asio::awaitable<void> send_rest();
    void give_up();

    asio::posix::stream_descriptor socket_;
    std::deque<Packet> waiting_;  ///< to be sent
    bool sends_ = false;          ///< send_rest() runs
    bool open_ = true;
    Signal sent_;
    TaskGroup tasks_;
};

}  // namespace routerd
