#pragma once

#include "daemon/devices/cgroup.hpp"

namespace routerd {

/// Whether the processor multiplies matrices by tiles (AMX with 8-bit integers, and the vectors
/// that ggml wants beside it), and the kernel lets programs use them: /proc/cpuinfo. False where
/// that cannot be read.
bool has_tiles(const Roots& roots);

}  // namespace routerd
