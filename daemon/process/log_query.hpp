#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"

namespace routerd {

/// Which part of a log is wanted.
struct LogQuery {
    std::optional<std::size_t> last_lines;  ///< at most so many, the newest
    std::optional<WallTime> since;          ///< lines from then on
    std::optional<std::uint64_t> from;      ///< LogPage::next of an earlier answer: what came after
};

/// One line made safe for a terminal (escaped, at most 8 KiB), with its time where it is known.
struct LogLine {
    std::optional<WallTime> time;
    std::string text;
};

struct LogPage {
    std::vector<LogLine> lines;
    std::uint64_t next = 0;  ///< where to go on from; only good for this daemon's life
    std::uint64_t seen = 0;  ///< end of what was looked at: what wait_log() shall wait beyond
    bool skipped = false;    ///< `from` was rotated away: some lines are missing before these
};

}  // namespace routerd
