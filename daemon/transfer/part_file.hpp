#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sys/uio.h>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd::transfer {

/// A file on its way: its bytes are in `<path>.part` until publish() gives it its name. No link is
/// followed below the root. What it does blocks; read() may be called by several threads at
/// once, the rest by one at a time.
class PartFile {
  public:
    /// Of places in memory and in the file, in bytes; what direct I/O asks for at most.
    static constexpr std::size_t alignment = 4096;

    enum class Begin {
        fresh,   ///< an earlier part is thrown away
        resume,  ///< what an earlier part holds is kept
    };

    /// Makes the folders between. `path` is relative to `root` and was checked: no part of it is
    /// "." or "..". Errors: conflict (something else has one of the names), not_found (resume, and
    /// there is no part), unavailable.
    static Result<PartFile> open(const std::string& root, const std::string& path, Begin begin);

    /// Claims the room of a file of that size. Errors: unavailable (disk full).
    Result<void> allocate(std::uint64_t size);

    Result<void> write(std::uint64_t offset, std::span<const char> bytes);

    /// The same of bytes that lie in several places and follow each other in the file; uses up
    /// `pieces`. What is aligned to `alignment` goes past the page cache where the file system can:
    /// a file of many GiB would push the weights of models that run out of it.
    Result<void> write(std::uint64_t offset, std::span<iovec> pieces);

    /// Fills `bytes`. Errors: unavailable (end of the file among them).
    Result<void> read(std::uint64_t offset, std::span<char> bytes) const;

    /// Makes it the same as `source`, sharing blocks; false where the file system cannot.
    bool share_blocks_of(int source);

    /// What was written before it was called is on the disk.
    Result<void> sync();

    /// Gives the file, cut to `size` and synced, its name. Errors: conflict when something has that
    /// name, and the part stays as it is.
    Result<void> publish(std::uint64_t size);

    std::uint64_t size() const;

  private:
    PartFile(UniqueFd folder, UniqueFd file, std::string name, std::string shown);
    int best_file(std::uint64_t offset, std::span<const iovec> pieces) const;

    UniqueFd folder_;
    UniqueFd file_;
    UniqueFd direct_;    // the same past the page cache; none: it cannot be had
    std::string name_;   // without ".part"
    std::string shown_;  // whole path, for messages
};

/// Removes the part of a file, if there is one; a link is not followed. Blocks.
Result<void> remove_part(const std::string& root, const std::string& path);

/// Where the part of a file is.
std::string part_path(const std::string& path);

/// Bytes that a file, or else its part, has on the disk; 0: neither is there. Blocks.
std::uint64_t held_bytes(const std::string& path);

/// Bytes that may still be written where `folder`, or the nearest folder above it, is. Blocks.
Result<std::uint64_t> free_bytes(const std::string& folder);

/// Whether `coming` bytes have room there, and a twentieth more: a disk that is full to its last
/// byte helps nobody. Errors: would_not_fit. Blocks.
Result<void> expect_room(const std::string& folder, std::uint64_t coming);

/// Whether the disk had no room for it.
bool is_disk_full(const Error& error);

}  // namespace routerd::transfer
