#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

/// "2GiB", "64 MiB", "16k", "1.5GB", "4096": K/M/G/T and KiB/MiB/… are powers of 1024, KB/MB/…
/// powers of 1000, a bare number is bytes. Errors: invalid_request.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// "5s", "1.5h", "250ms", "2m30s", "7d", "0"; a bare number is seconds. Errors: invalid_request.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Powers of 1024 with one decimal below 10: "1.9 GiB", "363 KiB", "12 B".
std::string format_bytes(std::uint64_t bytes);

/// The largest two units that matter: "80 ms", "1.2 s", "4m 3s", "2h 5m", "3d 4h".
std::string format_duration(std::chrono::milliseconds duration);

/// A count with a suffix of powers of 1000, as models are named: "8.0B", "135M", "293K".
std::string format_count(std::uint64_t count);

}  // namespace routerd
