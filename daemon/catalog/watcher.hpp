#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Hears of changes in folders, by inotify. Folders are added by the scans that read them; what
/// changed is not told, only that something did: a scan of what did not change costs next to
/// nothing. Core loop, apart from the function that adder() gives.
class Watcher {
  public:
    /// Errors: unavailable (no more inotify instances).
    static Result<std::unique_ptr<Watcher>> open(const asio::any_io_executor& executor);

    /// What an adder could not do. Written by the scan, read after it.
    struct Missed {
        std::size_t folders = 0;
        std::string reason;
    };

    /// Watches a folder; for one scan, on any one thread. It may outlive the Watcher.
    std::function<void(const std::string&)> adder(std::shared_ptr<Missed> missed) const;

    /// Waits until something changed and then was quiet for `quiet`, at most `longest` after the
    /// first change; or until `deadline`. False when it was the deadline. Cancellation ends it.
    struct Patience {
        TimePoint deadline;
        std::chrono::milliseconds quiet;
        std::chrono::milliseconds longest;
    };
    asio::awaitable<bool> wait(Patience patience);

  private:
    Watcher(const asio::any_io_executor& executor, UniqueFd fd, UniqueFd own);

    asio::awaitable<bool> readable(TimePoint deadline);
    bool drain();

    /// Owned by the Watcher and by the adders of scans that still run on the pool.
    std::shared_ptr<const UniqueFd> fd_;
    asio::posix::stream_descriptor events_;  // a duplicate of fd_, which it closes
    asio::any_io_executor executor_;
};

}  // namespace routerd
