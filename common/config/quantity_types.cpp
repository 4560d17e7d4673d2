#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/config/value_types.hpp"

namespace routerd {
namespace {

std::string print_duration(const Duration& duration) {
    const auto ms = duration.count();
    for (const auto& [unit, size] :
         {std::pair{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}) {
        if (ms != 0 && ms % size == 0) {
            return std::to_string(ms / size) + unit;
        }
    }
    return ms == 0 ? "0s" : std::to_string(ms) + "ms";
}

std::string print_size(const std::uint64_t& bytes) {
    for (const auto& [unit, shift] :
         {std::pair{"TiB", 40U}, {"GiB", 30U}, {"MiB", 20U}, {"KiB", 10U}}) {
        if (bytes != 0 && bytes % (1ULL << shift) == 0) {
            return std::to_string(bytes >> shift) + unit;
        }
    }
    return std::to_string(bytes);
}

Result<std::uint64_t> read_size(const RawValue& value, std::uint64_t least, std::uint64_t most) {
    if (!value.is_text() && value.kind != RawValue::Kind::integer) {
        return wrong_type("a size (examples: \"64MiB\", \"2GiB\")", value);
    }
    const auto bytes = parse_bytes(value.scalar);
    if (!bytes) {
        return bytes.error();
    }
    if (*bytes < least || *bytes > most) {
        return invalid_value("must be from " + print_size(least) + " to " + print_size(most) +
                             ", not " + cited(value));
    }
    return *bytes;
}

constexpr std::uint64_t most_bytes = 1ULL << 60U;

/// Adds one device's size. Errors: invalid_request.
Result<void> add_size(SizeMap& sizes, const std::string& device, const RawValue& value) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
    if (device.empty() || device.find_first_not_of(allowed) != std::string::npos) {
        return invalid_value("'" + escaped(device) + "' is no name of a device");
    }
    const auto bytes = read_size(value, 0, most_bytes);
    if (!bytes) {
        return bytes.error().within(device);
    }
    sizes[device] = *bytes;
    return {};
}

Result<SizeMap> sizes_from_text(const std::string& text) {
    SizeMap sizes;
    for (const auto view : split(text, ',')) {
        const std::string part(trim(view));
        if (part.empty()) {
            continue;
        }
        const auto at = part.find('=');
        if (at == std::string::npos) {
            return invalid_value(
                "must be device=size pairs (example: host=2GiB,cuda0=512MiB), not '" +
                escaped(part) + "'");
        }
        const auto added = add_size(sizes, part.substr(0, at), raw_text(part.substr(at + 1)));
        if (!added) {
            return added.error();
        }
    }
    return sizes;
}

Result<SizeMap> read_sizes(const RawValue& value) {
    if (value.is_text()) {
        return sizes_from_text(value.scalar);
    }
    if (value.kind != RawValue::Kind::table) {
        return wrong_type("a table of sizes (example: { host = \"2GiB\" })", value);
    }
    SizeMap sizes;
    for (const auto& [device, entry] : value.entries) {
        const auto added = add_size(sizes, device, entry);
        if (!added) {
            return added.error();
        }
    }
    return sizes;
}

std::string print_sizes(const SizeMap& sizes) {
    std::string text;
    for (const auto& [device, bytes] : sizes) {
        text += (text.empty() ? "" : ",") + device + "=" + print_size(bytes);
    }
    return text;
}

/// The text as a finite number, whole.
std::optional<double> parse_number(std::string_view text) {
    const auto number = number_in<double>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

Result<std::int64_t> read_integer(const RawValue& value, std::int64_t least, std::int64_t most) {
    if (value.kind != RawValue::Kind::text && value.kind != RawValue::Kind::integer) {
        return wrong_type("a whole number", value);
    }
    std::int64_t number = 0;
    const auto text = trim(value.scalar);
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc::invalid_argument || stop != end) {
        return wrong_type("a whole number", value);
    }
    if (error != std::errc{} || number < least || number > most) {
        return invalid_value("must be from " + std::to_string(least) + " to " +
                             std::to_string(most) + ", not " + escaped(text));
    }
    return number;
}

ValueType<double> number_type(double least, double most) {
    const auto print = [](const double& value) {
        auto text = nlohmann::json(value).dump();
        if (text.ends_with(".0")) {
            text.resize(text.size() - 2);
        }
        return text;
    };
    const auto read = [least, most, print](const RawValue& value) -> Result<double> {
        const bool may_be = value.kind == RawValue::Kind::text ||
                            value.kind == RawValue::Kind::integer ||
                            value.kind == RawValue::Kind::real;
        const auto number = may_be ? parse_number(trim(value.scalar)) : std::nullopt;
        if (!number) {
            return wrong_type("a number", value);
        }
        if (*number < least || *number > most) {
            return invalid_value("must be from " + print(least) + " to " + print(most) + ", not " +
                                 escaped(value.scalar));
        }
        return *number;
    };
    return {"number", read, print, false};
}

ValueType<Duration> duration_type(Duration least, Duration most) {
    const auto read = [least, most](const RawValue& value) -> Result<Duration> {
        if (!value.is_text() && value.kind != RawValue::Kind::integer &&
            value.kind != RawValue::Kind::real) {
            return wrong_type("a duration (examples: \"250ms\", \"5s\", \"10m\")", value);
        }
        const auto duration = parse_duration(value.scalar);
        if (!duration) {
            return duration.error();
        }
        if (*duration < least || *duration > most) {
            return invalid_value("must be from " + print_duration(least) + " to " +
                                 print_duration(most) + ", not " + cited(value));
        }
        return *duration;
    };
    return {"duration", read, print_duration, true};
}

ValueType<std::uint64_t> size_type(std::uint64_t least, std::uint64_t most) {
    const auto read = [least, most](const RawValue& value) {
        return read_size(value, least, most);
    };
    return {"size", read, print_size, true};
}

ValueType<SizeMap> sizes_type() {
    return {"table of sizes", read_sizes, print_sizes, true};
}

}  // namespace routerd
