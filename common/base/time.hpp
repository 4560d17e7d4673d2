#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace routerd {

/// Deadlines and durations; never goes back.
using TimePoint = std::chrono::steady_clock::time_point;

inline TimePoint steady_now() noexcept {
    return std::chrono::steady_clock::now();
}

/// Whole milliseconds.
inline std::chrono::milliseconds since(TimePoint begun) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_now() - begun);
}

/// What people and files are told; may jump.
using WallTime = std::chrono::system_clock::time_point;

/// RFC 3339 in UTC with milliseconds: "2026-11-21T15:04:05.123Z".
std::string format_rfc3339(WallTime time);

/// The same format, fraction optional, offset "Z" or ±hh:mm; nullopt for anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// For tables: "just now", "4 minutes ago", "3 days ago"; a time ahead is "in 5 minutes".
std::string format_relative(WallTime time, WallTime now);

}  // namespace routerd
