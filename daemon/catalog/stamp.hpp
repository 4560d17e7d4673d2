#pragma once

#include <cstdint>

#include <sys/stat.h>

namespace routerd {

/// Tells whether a file is still the one that was read, with the same content.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;        ///< bytes
    std::int64_t modified_ns = 0;  ///< mtime since 1970

    bool operator==(const FileStamp&) const = default;
};

inline FileStamp stamp_of(const struct stat& status) noexcept {
    return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace routerd
