#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/result.hpp"
#include "daemon/process/log_file.hpp"

namespace routerd {

/// Watches all logs through one inotify descriptor and lets each catch up when it was written to,
/// at most every 50 ms, so that a flood costs little. Core loop; a watched LogFile must outlive its
/// watch, and run() must have ended before destruction.
class LogFollower {
  public:
    /// Errors: unavailable when the system gives no inotify descriptor.
    static Result<std::unique_ptr<LogFollower>> make(const asio::any_io_executor& executor);

    /// Errors: unavailable when the limit of watches is reached.
    Result<void> watch(LogFile& log);
    void unwatch(const LogFile& log);

    /// Follows until stop().
    asio::awaitable<void> run();
    void stop();

  private:
    explicit LogFollower(asio::posix::stream_descriptor inotify)
        : inotify_(std::move(inotify)), pause_(inotify_.get_executor()) {}
    std::vector<LogFile*> read_changes();

    asio::posix::stream_descriptor inotify_;
    std::map<int, LogFile*> logs_;  ///< by watch
    asio::steady_timer pause_;
    bool stopped_ = false;
};

}  // namespace routerd
