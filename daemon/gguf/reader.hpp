#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd::gguf {

/// What reading one file's header may cost. A file that needs more is refused, with the figure.
struct Limits {
    std::chrono::milliseconds time{1000};    ///< wall time
    std::uint64_t memory = 16ULL << 20U;     ///< bytes held for names, strings and the window
    std::uint64_t header = 64ULL << 20U;     ///< bytes of header read from the disk
    std::size_t kept_string = 64ULL << 10U;  ///< longer strings are skipped and read as absent
    std::size_t chat_template = 1ULL << 20U;
};

/// Reads the header of a GGUF file (versions 2 and 3, little-endian): metadata and the tensor
/// table, checked against each other and against the file's size; never a tensor's data. Blocks,
/// so it belongs on a pool thread.
/// Errors: not_found; invalid_request when the file's content is at fault, and will be until it
/// changes; unavailable and deadline_exceeded when it could not be read now (permission, I/O error,
/// changed while being read, too slow).
Result<Metadata> read_file(const std::string& path, const Limits& limits = {});

/// The same on a descriptor that is open for reading; it stays open, its offset is not used.
/// Refuses what is not a regular file.
Result<Metadata> read_fd(int fd, const Limits& limits = {});

}  // namespace routerd::gguf
