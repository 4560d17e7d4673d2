#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace routerd {

/// Where the kernel's files are: / but in tests.
struct Roots {
    std::string proc = "/proc";
    std::string sys = "/sys";
};

/// A limit on the memory of this process and all it starts.
struct CgroupLimit {
    std::string path;         ///< of the group as the kernel names it: "/user.slice"
    std::uint64_t bytes = 0;  ///< memory.max, or memory.limit_in_bytes of version 1
    std::uint64_t free = 0;   ///< bytes under the limit; page cache counts as free, as in meminfo
};

/// Every limit from this process's own group up to the root, of both versions. Groups that cannot
/// be seen from here (another namespace) and those without a limit are left out.
std::vector<CgroupLimit> cgroup_limits(const Roots& roots);

}  // namespace routerd
