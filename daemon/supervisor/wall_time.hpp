#pragma once

#include "common/base/time.hpp"

namespace routerd {

/// When `time` is or was, as people are told; follows the wall clock when somebody sets that.
inline WallTime wall_time_of(TimePoint time) {
    const auto ahead = time - std::chrono::steady_clock::now();
    return std::chrono::system_clock::now() + std::chrono::duration_cast<WallTime::duration>(ahead);
}

}  // namespace routerd
