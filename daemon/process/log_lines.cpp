#include "daemon/process/log_lines.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace routerd {
namespace {

constexpr std::string_view marker_head = "[routerd ";
constexpr std::string_view start_word = "start: ";
constexpr std::string_view started_word = "server started ";

/// The number that `text` begins with, taken off it together with one following `end`.
std::optional<unsigned> take_number(std::string_view& text, char end) {
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(stop - text.data());
    if (error != std::errc() || length >= text.size() || text[length] != end) {
        return std::nullopt;
    }
    text.remove_prefix(length + 1);
    return value;
}

/// "0.00.058.485 I srv …" is 58.485 ms.
std::optional<std::chrono::microseconds> parse_stamp(std::string_view line) {
    constexpr std::array ends{'.', '.', '.', ' '};
    std::array<unsigned, 4> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = take_number(line, ends[i]);
        if (!part) {
            return std::nullopt;
        }
        parts[i] = *part;
    }
    if (parts[1] >= 60 || parts[2] >= 1000 || parts[3] >= 1000) {
        return std::nullopt;
    }
    return std::chrono::minutes(parts[0]) + std::chrono::seconds(parts[1]) +
           std::chrono::milliseconds(parts[2]) + std::chrono::microseconds(parts[3]);
}

}  // namespace

void LastLines::add(std::string_view line) {
    if (lines_.size() == limit_) {
        lines_.pop_front();
    }
    lines_.emplace_back(line);
}

std::string start_marker(WallTime now, std::string_view command) {
    std::string line(marker_head);
    line += format_rfc3339(now) + "] ";
    line += start_word;
    line += command;
    return line + "\n";
}

std::string rotation_marker(WallTime now, std::optional<WallTime> started, std::uint64_t dropped) {
    std::string line(marker_head);
    line += format_rfc3339(now) + "] log rotated";
    if (dropped > 0) {
        line += ", " + std::to_string(dropped) +
                " bytes dropped (they came faster than the log "
                "may grow)";
    }
    if (started) {
        line += ", ";
        line += started_word;
        line += format_rfc3339(*started);
    }
    return line + "\n";
}

std::optional<WallTime> LogClock::time_of(std::string_view line) {
    if (line.starts_with(marker_head)) {
        auto text = line.substr(marker_head.size());
        const auto time = parse_rfc3339(text.substr(0, text.find(']')));
        if (time) {
            text.remove_prefix(text.find(']') + 1);
            last_ = time;
            const auto started = text.rfind(started_word);
            if (text.starts_with(" " + std::string(start_word))) {
                started_ = time;
            } else if (started != std::string_view::npos) {
                started_ = parse_rfc3339(text.substr(started + started_word.size()));
            }
        }
        return last_;
    }
    const auto stamp = started_ ? parse_stamp(line) : std::nullopt;
    if (stamp) {
        last_ = *started_ + std::chrono::duration_cast<WallTime::duration>(*stamp);
    }
    return last_;
}

}  // namespace routerd
