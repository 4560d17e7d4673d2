#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace routerd::pull {

/// A file of a repository, as its listing says.
struct RepositoryFile {
    std::string path;                   ///< in the repository; a checked_path()
    std::optional<std::uint64_t> size;  ///< bytes
    std::string sha256;                 ///< 64 lower-case hexadecimal digits, or empty
};

}  // namespace routerd::pull
