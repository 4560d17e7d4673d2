#pragma once

#include <chrono>
#include <optional>
#include <string>

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
/// minutes of health wipe the slate, and so does a server that was healthy until it was told to go.
///
/// `quarantine_after` failures in a row end that: it is not started any more until somebody resets
/// it, or its file or settings change.
Failure after_failure(const Failure& before, const Resident& failed, const Exit& exit,
                      TimePoint now);

/// Forgets the failures before which those servers came that have been healthy for ten minutes.
void forget_what_is_over(World& world, TimePoint now);

/// Its server was told to go and has ended: forgets the failures before it came to serve.
void forget_failures_before(World& world, const Resident& gone);

/// Until when a model that has servers is not given one more, because of its failures; max(): until
/// somebody resets it, nullopt: it may have one.
std::optional<TimePoint> no_further_server_before(const World& world, const std::string& model,
                                                  TimePoint now);

/// Why `model` is not started at all now, because of its failures; nullopt: it may.
std::optional<Reason> refusal_of_failed(const World& world, const std::string& model,
                                        TimePoint now);

/// The last failure of a model that did not even load then; nullptr: none. It may be tried again
/// where there is room, and gets nobody's place.
const Failure* failure_to_load(const World& world, const std::string& model);

}  // namespace routerd::scheduler
