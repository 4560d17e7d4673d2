#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/time.hpp"

namespace routerd {

/// Times are kept as milliseconds since 1970, UTC.
inline std::int64_t milliseconds_of(WallTime time) {
    return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

inline WallTime wall_time(std::int64_t milliseconds) {
    return WallTime(std::chrono::milliseconds(milliseconds));
}

}  // namespace routerd
