#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/net/net.hpp"
#include "daemon/process/log_lines.hpp"
#include "daemon/process/log_query.hpp"
#include "daemon/process/log_reader.hpp"

namespace routerd {

/// The capped log of one model's server: PATH and PATH.1, each of half the cap. The server appends
/// to PATH by itself (it never waits for us, and goes on when we are gone); we look at what it
/// wrote and rotate by copying and truncating. Owned by the fleet, core loop; file work goes to the
/// pool, one piece at a time. Its coroutines must have ended before it is destroyed.
class LogFile {
  public:
    struct Place {
        std::string path;
        std::uint64_t cap = 0;  ///< bytes of both files together
    };

    /// Opens or makes the file, mode 0600. Errors: unavailable.
    static Result<std::unique_ptr<LogFile>> open(const asio::any_io_executor& executor,
                                                 asio::thread_pool& pool, Place place);

    /// Somebody may have removed or renamed the file: begins a new one, for the next server.
    Result<void> reopen_if_gone();

    const LogPaths& paths() const noexcept { return paths_; }

    /// For the child's stdout and stderr (O_APPEND).
    int fd() const noexcept { return fd_.get(); }

    /// Notes that a server with this command line starts now; what follows in the file is its.
    Result<void> begin(WallTime now, std::string_view command);

    /// Called with each new line, by catch_up(). Replaces the callback before.
    void on_line(std::function<void(std::string_view)> callback) { on_line_ = std::move(callback); }

    /// Looks at what was written since the last time, hands on its lines (of a flood the newest
    /// 64 KiB), and rotates when the file nears its half.
    asio::awaitable<void> catch_up();

    /// What an earlier daemon's server wrote is not looked at again, but for its last `bytes`.
    void skip_to_end(std::uint64_t bytes);

    asio::awaitable<Result<LogPage>> read(LogQuery query);

    /// Until there is more than `offset` or `deadline` passed.
    asio::awaitable<void> wait_past(std::uint64_t offset, TimePoint deadline);

  private:
    /// What catch_up() found, made on the pool.
    struct Step {
        std::string news;
        std::uint64_t position = 0;  ///< in the current file, after the news
        std::uint64_t rotated = 0;   ///< bytes taken out of the current file
        std::string error;
    };

    LogFile(const asio::any_io_executor& executor, asio::thread_pool& pool, Place place,
            UniqueFd fd);
    Step look() const;
    void rotate(std::uint64_t size, Step& step) const;
    class Turn;
    asio::awaitable<void> wait_turn();
    void take_in(const Step& step);

    asio::thread_pool& pool_;
    LogPaths paths_;
    std::uint64_t half_;
    UniqueFd fd_;
    std::function<void(std::string_view)> on_line_;
    LineSplitter splitter_;
    std::optional<WallTime> started_;
    std::uint64_t base_ = 0;                  ///< logical offset of the current file's first byte
    std::uint64_t position_ = 0;              ///< in the current file: seen up to here
    bool busy_ = false;                       ///< a piece of file work runs on the pool
    bool complained_ = false;                 ///< about a rotation that failed
    asio::steady_timer idle_;                 ///< never expires; cancelled when busy_ becomes false
    std::list<asio::steady_timer> watchers_;  ///< one per wait_past(); cancelled when it has grown
};

}  // namespace routerd
