#pragma once

#include <optional>

#include "daemon/scheduler/scheduler.hpp"

namespace routerd::scheduler {

/// Why `ask` is turned away before it waits at all; nullopt: it may wait, or run.
std::optional<Reason> refusal_at_the_door(const World& world, const Ask& ask, TimePoint now);

}  // namespace routerd::scheduler
