#pragma once

#include "common/config/schema.hpp"

namespace routerd {

class LogRing;

/// Makes spdlog's default logger as [log] asks: to stderr, as lines for people or as JSON lines.
/// Called once at start by main, before other threads log.
void set_up_logging(const LogConfig& config);

/// A reload: the level alone can change while the daemon runs.
void set_log_level(const LogConfig& config);

/// From now on the ring gets each line too. The ring's sink stays registered to the end.
void attach(const LogRing& ring);

}  // namespace routerd
