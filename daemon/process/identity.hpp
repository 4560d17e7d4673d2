#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/base/result.hpp"

namespace routerd {

/// Names one process for good: a number alone is given again to another one.
struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  ///< clock ticks from boot to its start
    std::string boot_id;            ///< of the boot that it runs in

    bool operator==(const ProcessIdentity&) const = default;
};

/// Of a process that lives. Errors: not_found when there is none (or only a zombie), unavailable.
Result<ProcessIdentity> identity_of(pid_t pid);

/// That very process runs, in this boot, and is no zombie.
bool is_alive(const ProcessIdentity& identity);

/// Changes with each boot; empty where /proc does not say.
std::string boot_id();

/// Resident memory in bytes, 0 when the process is gone. Reads one line of /proc.
std::uint64_t resident_bytes(pid_t pid);

/// A process, and what its environment was when it was started.
struct StartedProcess {
    ProcessIdentity process;
    std::string environment;  ///< "NAME=value", each with a NUL behind it
};

/// Processes of ours (readable to us) that were started with exactly this "NAME=value" in their
/// environment; without the caller. Walks /proc: some milliseconds for a hundred processes, not for
/// the core loop.
std::vector<StartedProcess> processes_started_with(std::string_view entry);

/// The same, without their environment.
std::vector<ProcessIdentity> processes_with_environment(std::string_view entry);

/// What `name` is in an environment, empty where it is not there.
std::string_view environment_value(std::string_view environment, std::string_view name);

/// SIGKILL to each that is still the same process, and waits for their end (at most 2 s each). How
/// many were hit. Blocks.
std::size_t kill_processes(const std::vector<ProcessIdentity>& processes);

}  // namespace routerd
