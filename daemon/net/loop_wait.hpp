#pragma once

#include <memory>

#include "daemon/net/net.hpp"

namespace routerd {

/// Lets a loop of Asio's wait in an epoll set of ours that holds Asio's own, instead of the other
/// way round: one system call a turn, not three (Asio's wait, the inner one, and the epoll_ctl() by
/// which Asio arms a wait anew), and each socket that is ready is looked at once.
///
/// Asio has the place for that, what a scheduler runs between handlers (scheduler_task), but shows
/// it to nobody; so this reaches for two of its members. It is checked when compiled: a Boost that
/// has other names does not build. Boost 1.81 and 1.83 have these.
class LoopWait {
  public:
    /// What waits. On the loop's thread.
    class Waiter {
      public:
        struct Found {
            bool asio = false;  ///< something is ready in Asio's set
            bool own = false;   ///< take_turn() has something to do
        };
        /// Waits until something is ready, `timeout` milliseconds at most; -1: without an end.
        virtual Found wait(int timeout) = 0;
        /// As a handler of the loop's; after those that Asio found with the same wait.
        virtual void take_turn() = 0;

      protected:
        ~Waiter() = default;
    };

    /// `executor` is an io_context's, which nobody runs while this is made or destroyed, and which
    /// outlives it. One a loop.
    LoopWait(const asio::any_io_executor& executor, Waiter& waiter);
    LoopWait(const LoopWait&) = delete;
    LoopWait& operator=(const LoopWait&) = delete;
    ~LoopWait();

    /// The epoll set that Asio watches: the waiter's wait() includes it.
    int asio_set() const noexcept;

  private:
    class Task;
    std::unique_ptr<Task> task_;
};

}  // namespace routerd
