#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace routerd {

/// The number that a whole text is, as std::from_chars() reads it: without blanks and '+', of the C
/// locale. nullopt: it is none, or too large for the type.
template <class Number>
std::optional<Number> number_in(std::string_view text) noexcept {
    Number number{};
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    return error == std::errc{} && stop == end && !text.empty() ? std::optional(number)
                                                                : std::nullopt;
}

}  // namespace routerd
