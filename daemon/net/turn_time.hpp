#pragma once

#include "common/base/time.hpp"

namespace routerd {

/// When the turn began that this thread's loop takes now (see Poller): as good as now for accounts
/// and deadlines, it costs no look at a clock, and all that happens in a turn happens at once.
/// Outside of a turn: now. Goes never back. Any thread.
TimePoint turn_now() noexcept;

/// The same of the wall clock, which is looked at for the first who asks.
WallTime turn_wall_now() noexcept;

/// While one exists, this thread takes a turn that began then.
class TurnTime {
  public:
    explicit TurnTime(TimePoint began) noexcept;
    TurnTime(const TurnTime&) = delete;
    TurnTime& operator=(const TurnTime&) = delete;
    ~TurnTime();
};

}  // namespace routerd
