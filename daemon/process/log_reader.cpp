#include "daemon/process/log_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/process/log_lines.hpp"

namespace routerd {
namespace {

constexpr std::size_t max_page_lines = 10000;

/// The end of one file.
struct Tail {
    std::string bytes;
    std::uint64_t end = 0;  ///< offset in the file after the last byte read
};

Result<std::optional<Tail>> read_tail(const std::string& path, std::uint64_t limit) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT) {
        return std::optional<Tail>();
    }
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
        return errno_error("open log '" + path + "'", errno);
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    Tail tail;
    tail.end = size > limit ? size - limit : 0;
    tail.bytes.resize(static_cast<std::size_t>(size - tail.end));
    std::size_t filled = 0;
    while (filled < tail.bytes.size()) {
        const auto n = ::pread(fd.get(), tail.bytes.data() + filled, tail.bytes.size() - filled,
                               static_cast<off_t>(tail.end + filled));
        if (n < 0) {
            return errno_error("read log '" + path + "'", errno);
        }
        if (n == 0) {
            break;  // truncated meanwhile
        }
        filled += static_cast<std::size_t>(n);
    }
    tail.bytes.resize(filled);
    tail.end += filled;
    return std::optional<Tail>(std::move(tail));
}

/// Collects the lines that the query wants.
class Selection {
  public:
    explicit Selection(const LogQuery& query)
        : since_(query.since),
          limit_(std::min(query.last_lines.value_or(max_page_lines), max_page_lines)) {}

    void add(std::string_view line) {
        const auto time = clock_.time_of(line);
        if (since_ && (!time || *time < *since_)) {
            return;
        }
        if (lines_.size() == limit_ && !lines_.empty()) {
            lines_.pop_front();
        }
        if (limit_ > 0) {
            lines_.push_back(LogLine{time, escaped(line)});
        }
    }

    /// Lines before those that are wanted still tell the time.
    void pass_over(std::string_view line) { clock_.time_of(line); }

    std::vector<LogLine> take() {
        return {std::make_move_iterator(lines_.begin()), std::make_move_iterator(lines_.end())};
    }

  private:
    std::optional<WallTime> since_;
    std::size_t limit_;
    LogClock clock_;
    std::deque<LogLine> lines_;
};

}  // namespace

Result<LogPage> read_log_files(const LogPaths& paths, const LogQuery& query, std::uint64_t base,
                               std::uint64_t limit) {
    const auto older = read_tail(paths.older, limit);
    if (!older) {
        return older.error();
    }
    const auto current = read_tail(paths.current, limit);
    if (!current) {
        return current.error();
    }
    if (!*older && !*current) {
        return Error(Errc::not_found, "there is no log '" + paths.current + "' yet");
    }
    std::string bytes = *older ? (*older)->bytes : std::string();
    const auto current_end = *current ? (*current)->end : 0;
    if (*current) {
        bytes += (*current)->bytes;
    }
    // Logical offsets: the current file begins at `base`, what is left of the older one ends there.
    const auto end = base + current_end;
    const auto begin = end - std::min<std::uint64_t>(end, bytes.size());
    LogPage page;
    page.skipped = query.from && *query.from < begin;
    const auto from = std::clamp(query.from.value_or(begin), begin, end);
    auto skip = bytes.size() - static_cast<std::size_t>(end - from);
    if (!query.from) {
        skip = 0;
    }

    Selection selection(query);
    LineSplitter splitter;
    const std::string_view all(bytes);
    splitter.feed(all.substr(0, skip), [&](std::string_view line) { selection.pass_over(line); });
    splitter.clear();
    splitter.feed(all.substr(skip), [&](std::string_view line) { selection.add(line); });
    page.seen = end;
    page.next = end;
    const auto unfinished = splitter.unfinished();
    if (query.from && unfinished.size() < LineSplitter::limit) {
        page.next -= unfinished.size();  // it comes whole next time
    } else if (!unfinished.empty()) {
        selection.add(unfinished);
    }
    page.lines = selection.take();
    return page;
}

}  // namespace routerd
