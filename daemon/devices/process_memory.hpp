#pragma once

#include <cstdint>
#include <optional>

#include <sys/types.h>

#include "common/base/result.hpp"
#include "daemon/devices/cgroup.hpp"

namespace routerd {

/// Host memory of one process, bytes.
struct ProcessMemory {
    /// In RAM now: anonymous + file + shared. Mapped weights count once they were touched.
    std::uint64_t resident = 0;
    std::uint64_t peak_resident = 0;  ///< the most that `resident` ever was; 0: not said
    std::uint64_t anonymous = 0;      ///< its own: only swap or its end gives them back
    std::uint64_t file = 0;    ///< pages of mapped files: the kernel can drop them and read again
    std::uint64_t shared = 0;  ///< shared memory, tmpfs
    std::uint64_t swapped = 0;
    /// `resident` with each page divided by the number of processes that map it: two servers of one
    /// file share its pages. nullopt: not ours to see, or a kernel without smaps_rollup.
    std::optional<std::uint64_t> proportional;
};

/// Whether to pay for `proportional`: the kernel walks every page table of the process, some
/// milliseconds per GiB, with its memory map locked.
enum class Detail { cheap, proportional };

/// Errors: not_found when there is no such process; unavailable.
Result<ProcessMemory> read_process_memory(const Roots& roots, pid_t pid,
                                          Detail detail = Detail::cheap);

}  // namespace routerd
