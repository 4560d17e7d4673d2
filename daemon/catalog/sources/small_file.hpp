#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace routerd::sources {

/// The whole of a regular file of at most `limit` bytes, or nullopt. Never waits on a FIFO or
/// device.
std::optional<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace routerd::sources
