#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd::transfer {

/// A name in a folder that is open: nobody can put a link in its way any more.
struct Place {
    UniqueFd folder;
    std::string name;
};

/// What becomes of folders that are not there.
enum class Folders { made, missed };

/// No link is followed below `root`; it may itself be reached through some, for who configures it
/// knows them. `path` is relative to it and was checked: no part of it is "." or "..". Errors:
/// conflict (something on the way is no folder), not_found (a folder is missed), unavailable.
/// Blocks.
Result<Place> find_place(const std::string& root, const std::string& path, Folders folders);

/// Errors of this room about a path.
Error in_the_way(const std::string& path);
Error path_error(const std::string& attempt, const std::string& path, int error_number);

}  // namespace routerd::transfer
