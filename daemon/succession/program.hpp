#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {

/// How this process was started, to start another in the same way.
struct Program {
    std::string path;               ///< of its file, absolute
    std::vector<std::string> argv;  ///< with argv[0]
};

/// Starts `file` with the arguments of `program` and our environment, standard streams and working
/// directory, as no child of ours: it outlives us, and whoever is the reaper of processes here gets
/// it. It finds `link` by take_link(), and of our other descriptors none. What keeps it from
/// running it says there ("failed"). Errors: unavailable.
Result<void> start_successor(const std::string& file, const Program& program, int link);

/// In the successor: the link to who started it; empty when nobody did so. Before there are
/// threads, and before the environment is read: its variable goes.
UniqueFd take_link();

}  // namespace routerd
