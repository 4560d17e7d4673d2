#pragma once

#include <optional>
#include <string>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// One line of a model server's output or of the daemon's log.
struct LogLine {
    std::optional<WallTime> time;  ///< null where it is not known
    std::string text;
};

using LogList = List<LogLine>;

/// How much the daemon logs.
struct LogLevel {
    std::string level;  ///< as [log] level
};

}  // namespace routerd::api
