#include "common/base/time.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace routerd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_days;

/// Takes exactly `digits` digits; false when they are not there.
bool take_digits(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits) {
        return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc{} || end != text.data() + digits || value < 0) {
        return false;
    }
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool take_fraction(std::string_view& text, int& ms) {
    int scale = 100;
    bool any = false;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        ms += (text.front() - '0') * scale;
        scale /= 10;
        any = true;
        text.remove_prefix(1);
    }
    return any;
}

bool take_offset(std::string_view& text, std::chrono::minutes& offset) {
    if (take(text, 'Z') || take(text, 'z')) {
        return true;
    }
    const bool west = !text.empty() && text.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!(take(text, '+') || take(text, '-')) || !take_digits(text, 2, hours) || !take(text, ':') ||
        !take_digits(text, 2, minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    offset = std::chrono::minutes((west ? -1 : 1) * (hours * 60 + minutes));
    return true;
}

std::string plural(std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

}  // namespace

std::string format_rfc3339(WallTime time) {
    const auto ms = std::chrono::floor<milliseconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(ms);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(ms - day);
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int ms = 0;
    std::chrono::minutes offset(0);
    if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
        !take(text, '-') || !take_digits(text, 2, day) || !(take(text, 'T') || take(text, ' ')) ||
        !take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute) ||
        !take(text, ':') || !take_digits(text, 2, second)) {
        return std::nullopt;
    }
    if (take(text, '.') && !take_fraction(text, ms)) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!take_offset(text, offset) || !text.empty() || !date.ok() || hour > 23 || minute > 59 ||
        second > 60) {
        return std::nullopt;
    }
    return sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           seconds(second) + milliseconds(ms) - offset;
}

std::string format_relative(WallTime time, WallTime now) {
    const auto gap = std::chrono::duration_cast<seconds>(now - time).count();
    const auto distance = std::abs(gap);
    if (distance < 2) {
        return "just now";
    }
    std::string amount;
    if (distance < 120) {
        amount = plural(distance, "second");
    } else if (distance < 7200) {
        amount = plural(distance / 60, "minute");
    } else if (distance < 172'800) {
        amount = plural(distance / 3600, "hour");
    } else {
        amount = plural(distance / 86'400, "day");
    }
    return gap > 0 ? amount + " ago" : "in " + amount;
}

}  // namespace routerd
