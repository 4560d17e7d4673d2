#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace routerd::http {

/// RFC 9110 5.6.2: what names of fields and methods are made of.
inline constexpr auto token_chars = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
        table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

inline bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

inline bool is_token_char(char c) noexcept {
    return token_chars[static_cast<unsigned char>(c)];
}

}  // namespace routerd::http
