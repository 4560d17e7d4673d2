#pragma once

#include <optional>
#include <string>

namespace routerd {

/// How a process ended.
struct ExitStatus {
    std::optional<int> code;    ///< what it passed to exit()
    std::optional<int> signal;  ///< what killed it
    bool dumped_core = false;
    /// Neither is known for a process that was not our child.

    bool success() const noexcept { return code == 0; }
};

/// "exit status 1", "killed by SIGSEGV", "ended (its status is unknown: it was adopted)".
std::string to_string(const ExitStatus& status);

}  // namespace routerd
