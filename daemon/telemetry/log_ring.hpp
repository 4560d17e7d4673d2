#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "common/base/time.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace spdlog::sinks {
class sink;  // NOLINT(readability-identifier-naming): the name is not ours
}

namespace routerd {

/// The newest lines of the daemon's own log, for `status` and `logs --daemon`. Lines come in from
/// any thread through sink(); everything else is for the core loop. Must be destroyed before the
/// io_context of its executor; the sink may outlive it.
class LogRing {
  public:
    static constexpr std::size_t kept = 1000;  ///< lines

    struct Line {
        std::uint64_t number = 0;  ///< rises by one, from 1
        WallTime time;
        std::string text;  ///< "warn: message", escaped, at most 8 KiB
    };

    explicit LogRing(const boost::asio::any_io_executor& executor);
    ~LogRing();
    LogRing(const LogRing&) = delete;
    LogRing& operator=(const LogRing&) = delete;

    /// To be added to spdlog's default logger.
    std::shared_ptr<spdlog::sinks::sink> sink() const;

    /// What is kept of the lines after `number`, oldest first; 0: all.
    std::vector<Line> after(std::uint64_t number) const;

    /// `callback` is called on the loop when lines have come since the last call.
    Subscription subscribe(std::function<void()> callback) {
        return grown_->subscribe(std::move(callback));
    }

  private:
    class Sink;

    std::shared_ptr<Broadcast<>> grown_;  // this, and a call posted by the sink
    std::shared_ptr<Sink> sink_;          // this, and the logger
};

}  // namespace routerd
