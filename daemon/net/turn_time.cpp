#include "daemon/net/turn_time.hpp"

#include <cassert>

namespace routerd {
namespace {

struct TurnClock {
    bool is_taken = false;
    bool has_wall = false;
    TimePoint began;
    WallTime wall;
};

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): of one thread alone
thread_local constinit TurnClock turn_clock;

}  // namespace

TimePoint turn_now() noexcept {
    return turn_clock.is_taken ? turn_clock.began : steady_now();
}

WallTime turn_wall_now() noexcept {
    if (!turn_clock.has_wall) {
        turn_clock.wall = std::chrono::system_clock::now();
        turn_clock.has_wall = turn_clock.is_taken;
    }
    return turn_clock.wall;
}

TurnTime::TurnTime(TimePoint began) noexcept {
    assert(!turn_clock.is_taken);
    turn_clock = {.is_taken = true, .has_wall = false, .began = began, .wall = {}};
}

TurnTime::~TurnTime() {
    turn_clock = {};
}

}  // namespace routerd
