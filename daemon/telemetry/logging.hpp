#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"

namespace routerd {

class LogRing;

/// Makes spdlog's default logger as [log] asks: to stderr or a file, as lines for people or as JSON
/// lines. What is foreign in a line is escaped, and no line is longer than 8 KiB. Called once at
/// start by main, before other threads log. Errors: unavailable, when there is no such file; it
/// logs to stderr then.
Result<void> set_up_logging(const LogConfig& config);

/// A reload. Errors: as set_up_logging(); all is as it was then.
Result<void> change_logging(const LogConfig& config);

/// The level alone: one of [log] level's words.
void set_log_level(std::string_view level);
std::string log_level();

/// Goes on in the file that has the name now, after somebody moved the old one away. Errors: as
/// set_up_logging().
Result<void> reopen_log();

/// From now on the ring gets each line too. The ring's sink stays registered to the end.
void attach(const LogRing& ring);

/// A line's words as they are written: escaped, of a bounded length, the request that they are
/// about in front (LogAbout). For sinks, while the line is being logged.
std::string words_of_line(std::string_view payload);

}  // namespace routerd
