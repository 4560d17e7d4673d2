#include "daemon/process/log_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/log.hpp"
#include "daemon/net/run_on.hpp"

namespace routerd {
namespace {

constexpr std::uint64_t smallest_cap = 64ULL << 10U;
constexpr std::uint64_t news_limit = 64ULL << 10U;

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// Copies from `offset` to the end as it is when it gets there; where it got, or nullopt with
/// errno.
std::optional<std::uint64_t> copy_rest(int from, int to, std::uint64_t offset,
                                       std::uint64_t at_most) {
    std::array<char, 65536> part{};
    const auto stop = offset + at_most;
    while (offset < stop) {
        const auto wanted = std::min<std::uint64_t>(part.size(), stop - offset);
        const auto n = ::pread(from, part.data(), wanted, static_cast<off_t>(offset));
        if (n < 0) {
            return std::nullopt;
        }
        if (n == 0) {
            break;
        }
        if (!write_all(to, {part.data(), static_cast<std::size_t>(n)})) {
            return std::nullopt;
        }
        offset += static_cast<std::uint64_t>(n);
    }
    return offset;
}

std::uint64_t file_size(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

/// The first byte of a line in the file at or soon after `offset`.
std::uint64_t next_line(int fd, std::uint64_t offset) {
    std::array<char, LineSplitter::limit> part{};
    const auto n = ::pread(fd, part.data(), part.size(), static_cast<off_t>(offset));
    const std::string_view bytes(part.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    const auto end = bytes.find('\n');
    return end == std::string_view::npos ? offset : offset + end + 1;
}

Result<UniqueFd> open_log(const std::string& path) {
    constexpr int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    UniqueFd fd(::open(path.c_str(), flags, 0600));
    if (!fd) {
        return errno_error("open log '" + path + "'", errno);
    }
    return fd;
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(const asio::any_io_executor& executor,
                                               asio::thread_pool& pool, Place place) {
    auto fd = open_log(place.path);
    if (!fd) {
        return fd.error();
    }
    return std::unique_ptr<LogFile>(new LogFile(executor, pool, std::move(place), std::move(*fd)));
}

LogFile::LogFile(const asio::any_io_executor& executor, asio::thread_pool& pool, Place place,
                 UniqueFd fd)
    : pool_(pool),
      paths_{place.path, place.path + ".1"},
      half_(std::max(place.cap, smallest_cap) / 2),
      fd_(std::move(fd)),
      idle_(executor, TimePoint::max()) {}

Result<void> LogFile::reopen_if_gone() {
    struct stat there {};
    struct stat ours {};
    const bool is_same = ::stat(paths_.current.c_str(), &there) == 0 &&
                         ::fstat(fd_.get(), &ours) == 0 && there.st_ino == ours.st_ino &&
                         there.st_dev == ours.st_dev;
    if (is_same || busy_) {  // busy: the pool uses the descriptor; the next start will see to it
        return {};
    }
    auto fd = open_log(paths_.current);
    if (!fd) {
        return fd.error();
    }
    fd_ = std::move(*fd);
    base_ += position_;
    position_ = 0;
    splitter_.clear();
    return {};
}

Result<void> LogFile::begin(WallTime now, std::string_view command) {
    started_ = now;
    skip_to_end(0);
    if (!write_all(fd_.get(), start_marker(now, command))) {
        return errno_error("write log '" + paths_.current + "'", errno);
    }
    return {};
}

void LogFile::skip_to_end(std::uint64_t bytes) {
    const auto size = file_size(fd_.get());
    position_ = size - std::min(size, bytes);
    splitter_.clear();
}

/// While it lives no other file work of this log runs.
class LogFile::Turn {
  public:
    explicit Turn(LogFile& log) : log_(log) { log_.busy_ = true; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        log_.busy_ = false;
        log_.idle_.cancel();
    }

  private:
    LogFile& log_;
};

asio::awaitable<void> LogFile::wait_turn() {
    while (busy_) {
        co_await idle_.async_wait(no_throw);
    }
}

asio::awaitable<void> LogFile::catch_up() {
    co_await wait_turn();
    const Turn turn(*this);
    auto work = [this] { return look(); };
    const Step step = co_await run_on(pool_, std::move(work));
    take_in(step);
}

void LogFile::take_in(const Step& step) {
    base_ += step.rotated;
    position_ = step.position;
    if (!step.error.empty() && !std::exchange(complained_, true)) {
        spdlog::warn("rotate log '{}': {}; it grows past its size", paths_.current, step.error);
    }
    if (step.news.empty()) {
        return;
    }
    for (auto& watcher : watchers_) {
        watcher.cancel();
    }
    splitter_.feed(step.news, [this](std::string_view line) {
        if (on_line_) {
            on_line_(line);
        }
    });
}

LogFile::Step LogFile::look() const {
    Step step;
    const auto size = file_size(fd_.get());
    step.position = std::min(position_, size);  // smaller when somebody else truncated it
    const auto from = std::max(step.position, size - std::min(size, news_limit));
    step.news.resize(static_cast<std::size_t>(size - from));
    const auto n = ::pread(fd_.get(), step.news.data(), step.news.size(), static_cast<off_t>(from));
    step.news.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    step.position = from + step.news.size();
    // Before the half is full, so that all of it still goes into the older file.
    if (size > half_ - half_ / 4) {
        rotate(size, step);
    }
    return step;
}

void LogFile::rotate(std::uint64_t size, Step& step) const {
    const auto fail = [&step](const char* what) {
        step.error = errno_error(what, errno).message();
    };
    const std::string made = paths_.older + ".new";
    const UniqueFd older(
        ::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!older) {
        return fail("make the older file");
    }
    auto from = size - std::min(size, half_);
    from = from == 0 ? 0 : next_line(fd_.get(), from);
    const auto now = std::chrono::system_clock::now();
    if (!write_all(older.get(), rotation_marker(now, started_, from))) {
        return fail("write the older file");
    }
    // What is written while we copy is copied too, as long as it is no flood.
    const auto copied = copy_rest(fd_.get(), older.get(), from, half_);
    if (!copied || ::rename(made.c_str(), paths_.older.c_str()) != 0) {
        fail("copy to the older file");
        ::unlink(made.c_str());
        return;
    }
    const auto end = file_size(fd_.get());
    if (::ftruncate(fd_.get(), 0) != 0) {
        return fail("truncate");
    }
    step.rotated = *copied;
    step.position = 0;
    const auto dropped = end - std::min(end, *copied);
    write_all(fd_.get(), rotation_marker(now, started_, dropped));
}

asio::awaitable<Result<LogPage>> LogFile::read(LogQuery query) {
    co_await wait_turn();
    const Turn turn(*this);
    auto work = [paths = paths_, query, base = base_, limit = half_ * 2] {
        return read_log_files(paths, query, base, limit);
    };
    auto page = co_await run_on(pool_, std::move(work));
    co_return page;
}

asio::awaitable<void> LogFile::wait_past(std::uint64_t offset, TimePoint deadline) {
    const auto watcher = watchers_.emplace(watchers_.end(), idle_.get_executor());
    const std::unique_ptr<void, std::function<void(void*)>> guard(
        this, [this, watcher](void*) { watchers_.erase(watcher); });
    while (base_ + position_ <= offset && std::chrono::steady_clock::now() < deadline) {
        watcher->expires_at(deadline);
        co_await watcher->async_wait(no_throw);
    }
}

}  // namespace routerd
