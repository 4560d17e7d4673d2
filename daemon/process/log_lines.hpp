#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace routerd {

/// Cuts bytes that come in pieces into lines. A line longer than `limit` is cut there and the rest
/// of it thrown away, so an endless line costs no memory.
class LineSplitter {
  public:
    static constexpr std::size_t limit = 8192;  ///< bytes

    /// Calls `on_line` with each line that ended, without its end.
    template <class OnLine>
    void feed(std::string_view bytes, OnLine&& on_line) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto part = bytes.substr(0, end);
            line_.append(part.substr(0, limit - line_.size()));
            if (end == std::string_view::npos) {
                return;
            }
            on_line(without_return(line_));
            line_.clear();
            bytes.remove_prefix(end + 1);
        }
    }

    /// What came after the last end of line; empty when nothing.
    std::string_view unfinished() const noexcept { return line_; }
    void clear() { line_.clear(); }

  private:
    static std::string_view without_return(std::string_view line) {
        return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    }

    std::string line_;
};

/// The newest `limit` lines.
class LastLines {
  public:
    explicit LastLines(std::size_t limit) : limit_(limit) {}

    void add(std::string_view line);
    void clear() { lines_.clear(); }
    std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

  private:
    std::size_t limit_;
    std::deque<std::string> lines_;
};

/// The lines that the router itself writes into a server's log. They carry the time at which the
/// server started, because its own stamps count from there.
std::string start_marker(WallTime now, std::string_view command);
std::string rotation_marker(WallTime now, std::optional<WallTime> started, std::uint64_t dropped);

/// Gives the lines of one log their time, in order: the router's own lines carry one; a server's
/// stamp "M.SS.mmm.uuu" (minutes, seconds, milli- and microseconds) counts from the start; a line
/// without a stamp has the time of the one before it.
class LogClock {
  public:
    std::optional<WallTime> time_of(std::string_view line);
    std::optional<WallTime> started() const noexcept { return started_; }

  private:
    std::optional<WallTime> started_;
    std::optional<WallTime> last_;
};

}  // namespace routerd
