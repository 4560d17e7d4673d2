#include "daemon/devices/small_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

constexpr std::size_t most_bytes = 1U << 20U;

Error read_error(const std::string& path, int number) {
    // ESRCH: the process ended between open() and read().
    if (number == ENOENT || number == ESRCH) {
        return {Errc::not_found, "read '" + escaped(path) + "': no such file"};
    }
    return errno_error("read '" + escaped(path) + "'", number);
}

std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
    if (unit.empty() || unit == "B") {
        return 1;
    }
    if (unit == "kB" || unit == "KiB") {
        return 1024;
    }
    if (unit == "MiB") {
        return 1ULL << 20U;
    }
    return unit == "GiB" ? std::optional<std::uint64_t>(1ULL << 30U) : std::nullopt;
}

std::optional<std::uint64_t> number_with_unit(std::string_view text) {
    std::uint64_t number = 0;
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error != std::errc()) {
        return std::nullopt;
    }
    const auto unit = unit_bytes(trim({stop, static_cast<std::size_t>(end - stop)}));
    std::uint64_t bytes = 0;
    if (!unit || __builtin_mul_overflow(number, *unit, &bytes)) {
        return std::nullopt;
    }
    return bytes;
}

}  // namespace

Result<std::string> read_small_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) {
        return read_error(path, errno);
    }
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.size() < most_bytes) {
        const auto count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return read_error(path, errno);
        }
        if (count == 0) {
            break;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

Result<std::uint64_t> read_number_file(const std::string& path) {
    const auto text = read_small_file(path);
    if (!text) {
        return text.error();
    }
    const auto digits = trim(*text);
    const auto number = number_in<std::uint64_t>(digits);
    if (!number) {
        return Error(Errc::unavailable, "read '" + escaped(path) + "': '" +
                                            escaped(digits.substr(0, 64)) + "' is no number");
    }
    return *number;
}

std::string_view text_field(std::string_view text, std::string_view name) {
    for (const auto line : split(text, '\n')) {
        if (line.size() > name.size() && line.starts_with(name) &&
            std::string_view(":= \t").find(line[name.size()]) != std::string_view::npos) {
            return trim(line.substr(name.size() + 1));
        }
    }
    return {};
}

std::optional<std::uint64_t> number_field(std::string_view text, std::string_view name) {
    return number_with_unit(text_field(text, name));
}

}  // namespace routerd
