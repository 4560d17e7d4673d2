#pragma once

#include <chrono>

#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {

/// How a server ended that was not told to.
struct Exit {
    std::string error;  ///< for people: why
    double jitter = 0;  ///< from 0 to 1, random
};

/// What is remembered of a model after its server failed: a load that failed waits 1 s, then twice
/// as long each time up to 60 s (and up to a quarter more by jitter); a server that crashed while
/// it served is started again by the next request, and backs off from its second crash on. Ten
/// minutes of health wipe the slate.
Failure after_failure(const Failure& before, const Resident& failed, const Exit& exit,
                      TimePoint now);

}  // namespace routerd::scheduler
