#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd {

/// The files of /proc and /sys: short, made as they are read, and gone at any moment. At most 1 MiB
/// is read. Errors: not_found (the file, or the process that it speaks of); unavailable.
Result<std::string> read_small_file(const std::string& path);

/// A file that holds one decimal number and nothing else. Errors: as above, and unavailable for
/// other content.
Result<std::uint64_t> read_number_file(const std::string& path);

/// The number in the line "NAME: 12 kB", "NAME 12" or "NAME:\t12" of `text`, in bytes where the
/// unit is kB or KiB, MiB or GiB. nullopt: no such line, or no number in it.
std::optional<std::uint64_t> number_field(std::string_view text, std::string_view name);

/// What follows "NAME:" or "NAME=" on its line, trimmed; empty when there is no such line.
std::string_view text_field(std::string_view text, std::string_view name);

}  // namespace routerd
