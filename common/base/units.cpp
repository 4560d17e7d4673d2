#include "common/base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "common/base/text.hpp"

namespace routerd {
namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr double kib = 1024;
constexpr std::array byte_units{
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", kib},
    Unit{"m", kib* kib},
    Unit{"g", kib* kib* kib},
    Unit{"t", kib* kib* kib* kib},
    Unit{"kib", kib},
    Unit{"mib", kib* kib},
    Unit{"gib", kib* kib* kib},
    Unit{"tib", kib* kib* kib* kib},
    Unit{"kb", 1e3},
    Unit{"mb", 1e6},
    Unit{"gb", 1e9},
    Unit{"tb", 1e12},
};
constexpr std::array duration_units{
    Unit{"", 1e3},    Unit{"ms", 1},    Unit{"s", 1e3},    Unit{"sec", 1e3},   Unit{"m", 6e4},
    Unit{"min", 6e4}, Unit{"h", 3.6e6}, Unit{"d", 8.64e7}, Unit{"w", 6.048e8},
};

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t';
}

/// Takes one number from the front of `text`; false when there is none.
bool take_number(std::string_view& text, double& value) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    if (text.empty() || ((text.front() < '0' || text.front() > '9') && text.front() != '.')) {
        return false;
    }
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

/// Takes the letters at the front of `text`, lower-cased.
std::string take_word(std::string_view& text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    std::string word;
    while (!text.empty() && to_lower(text.front()) >= 'a' && to_lower(text.front()) <= 'z') {
        word += to_lower(text.front());
        text.remove_prefix(1);
    }
    return word;
}

template <std::size_t N>
double factor_of(const std::array<Unit, N>& units, std::string_view name) {
    for (const auto& unit : units) {
        if (unit.name == name) {
            return unit.factor;
        }
    }
    return 0;
}

std::string printed(double value, int decimals) {
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
    const std::string whole(text);
    double number = 0;
    double factor = 0;
    if (take_number(text, number)) {
        factor = factor_of(byte_units, take_word(text));
    }
    constexpr double limit = 9.2e18;  // below 2^63, so that the sum of two still fits
    if (factor == 0 || !text.empty() || number * factor > limit) {
        return Error(Errc::invalid_request,
                     "'" + whole + "' is not a size (examples: 64MiB, 2GiB)");
    }
    return static_cast<std::uint64_t>(std::llround(number * factor));
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const std::string whole(text);
    double total = 0;
    bool any = false;
    bool good = true;
    double number = 0;
    while (good && take_number(text, number)) {
        const auto word = take_word(text);
        const double factor = factor_of(duration_units, word);
        good = factor != 0 && !(word.empty() && any);  // "1m30" is too unclear to guess
        total += number * factor;
        any = true;
    }
    constexpr double limit = 3.2e12;  // a hundred years, in milliseconds
    if (!good || !any || !text.empty() || total > limit) {
        return Error(Errc::invalid_request,
                     "'" + whole + "' is not a duration (examples: 250ms, 5s, 10m, 1h)");
    }
    return std::chrono::milliseconds(std::llround(total));
}

std::string format_bytes(std::uint64_t bytes) {
    constexpr std::array<const char*, 5> suffixes{" B", " KiB", " MiB", " GiB", " TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t index = 0;
    while (value >= 1000 && index + 1 < suffixes.size()) {
        value /= kib;
        ++index;
    }
    return printed(value, index > 0 && value < 9.95 ? 1 : 0) + suffixes.at(index);
}

std::string format_duration(std::chrono::milliseconds duration) {
    using namespace std::chrono;
    const auto ms = duration.count();
    if (ms < 1000) {
        return std::to_string(ms) + " ms";
    }
    if (ms < 60'000) {
        return printed(static_cast<double>(ms) / 1e3, ms < 10'000 ? 1 : 0) + " s";
    }
    const auto total = duration_cast<seconds>(duration).count();
    const auto pair = [](std::int64_t large, const char* a, std::int64_t small, const char* b) {
        return std::to_string(large) + a + (small != 0 ? " " + std::to_string(small) + b : "");
    };
    if (total < 3600) {
        return pair(total / 60, "m", total % 60, "s");
    }
    if (total < 86'400) {
        return pair(total / 3600, "h", total % 3600 / 60, "m");
    }
    return pair(total / 86'400, "d", total % 86'400 / 3600, "h");
}

std::string format_count(std::uint64_t count) {
    constexpr std::array<const char*, 5> suffixes{"", "K", "M", "B", "T"};
    auto value = static_cast<double>(count);
    std::size_t index = 0;
    while (value >= 999.5 && index + 1 < suffixes.size()) {
        value /= 1000;
        ++index;
    }
    return printed(value, index > 0 && value < 9.95 ? 1 : 0) + suffixes.at(index);
}

}  // namespace routerd
