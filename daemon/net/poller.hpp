#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/epoll.h>

#include "common/base/time.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Tells of sockets that became ready, without an allocation, a queue or a system call per wait.
/// Asio's own reactor tries each read before it waits for it, which on a connection that waits for
/// its peer is a system call in vain for each message. So the sockets of requests and answers are
/// in an epoll set of ours, registered once and edge-triggered, and Asio watches that set alone.
/// Owned by its IoLoop; used on that loop's thread only.
class Poller {
  public:
    /// Something whose descriptor is in the set. Its destructor must have removed it.
    class Watched {
      public:
        /// EPOLL… bits. Called from the loop; may remove and destroy anything, itself too.
        virtual void on_io(unsigned events) = 0;

      protected:
        ~Watched() = default;
    };

    explicit Poller(const asio::any_io_executor& executor);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// Adds a descriptor: from now on each change to readable and each hang-up is told once. What
    /// is there already is told with the next turn.
    void add(int fd, Watched& watched);

    /// Whether it is told when the descriptor takes output again, too.
    void want_output(int fd, Watched& watched, bool wanted);

    void remove(int fd, Watched& watched) noexcept;

    /// Calls on_io(EPOLLIN) with the next turn, for one that stopped before all was read so that
    /// others get their turn.
    void again(Watched& watched);

    /// While it tells, when this turn began: as good as now for deadlines, and free. Else now.
    TimePoint now() const noexcept { return tells_ ? now_ : steady_now(); }

  private:
    void arm();
    void turn();
    void forget(const Watched& watched) noexcept;

    static constexpr std::size_t batch_size = 128;

    asio::posix::stream_descriptor set_;
    std::size_t watched_ = 0;
    bool armed_ = false;
    bool tells_ = false;
    TimePoint now_;
    std::array<epoll_event, batch_size> events_{};
    std::span<epoll_event> batch_;  // of them, not told yet
    std::vector<Watched*> again_;
    std::vector<Watched*> told_again_;
};

}  // namespace routerd
