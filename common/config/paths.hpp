#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd {

/// Environment variables by name; main() takes the process's own, tests give theirs.
using Environment = std::map<std::string, std::string, std::less<>>;

/// The process's environment, read once at start.
Environment process_environment();

/// Where things are when no setting says otherwise.
struct DefaultPaths {
    std::string config_file;
    std::string config_folder;  ///< further *.toml files, in order; empty: none
    std::string state_dir;
    std::string runtime_dir;
    std::string socket;  ///< control socket
    std::string models_dir;
};

/// Of the machine's daemon: /etc/routerd, /var/lib/routerd, /run/routerd.
DefaultPaths system_paths();

/// Of a user's own daemon: the XDG directories, and /tmp/routerd-<uid> where $XDG_RUNTIME_DIR is
/// not set.
DefaultPaths user_paths(const Environment& environment);

/// "~" and "~/x" with $HOME in place of "~"; everything else unchanged.
std::string expand_home(std::string_view path, const Environment& environment);

/// Makes `path` (0700, parents too) when it is not there. Errors: unavailable; forbidden when it is
/// not a directory of ours alone: somebody else's, a symbolic link, or writable by others.
Result<void> make_private_directory(const std::string& path);

}  // namespace routerd
