#pragma once

#include <optional>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "daemon/pull/file_work.hpp"

namespace routerd::pull {

/// A file that is on its way, for all pulls that want it: one transfer, and an end that each of
/// them hears of. Core loop; owned by Pulls until nobody uses it.
class SharedFile {
  public:
    SharedFile(const asio::any_io_executor& executor, FileWork::Services services, FileOrder order)
        : work_(std::move(services), std::move(order)), told_(executor) {
        told_.expires_at(TimePoint::max());
    }

    FileWork& work() noexcept { return work_; }
    const FileWork& work() const noexcept { return work_; }

    /// In a task of its own, once.
    asio::awaitable<void> run() {
        auto result = co_await work_.run();
        result_ = std::move(result);
        wake();
    }

    /// nullopt: not over yet.
    const std::optional<Result<void>>& result() const noexcept { return result_; }

    /// Returns when it is over, or when wake() was called.
    asio::awaitable<void> wait() { co_await told_.async_wait(no_throw); }
    void wake() { told_.cancel(); }

    unsigned users = 0;

  private:
    FileWork work_;
    std::optional<Result<void>> result_;
    asio::steady_timer told_;
};

}  // namespace routerd::pull
