#include "cmd/routerctl/output/columns.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct Character {
    std::size_t bytes = 1;
    std::size_t columns = 1;
};

bool is_double(char32_t code) noexcept {
    constexpr std::array<std::pair<char32_t, char32_t>, 14> wide{{{0x1100, 0x115F},
                                                                  {0x231A, 0x23FF},
                                                                  {0x2600, 0x27BF},
                                                                  {0x2B1B, 0x2B55},
                                                                  {0x2E80, 0x2FFF},
                                                                  {0x3000, 0xA4CF},
                                                                  {0xA960, 0xA97C},
                                                                  {0xAC00, 0xD7A3},
                                                                  {0xF900, 0xFAFF},
                                                                  {0xFE10, 0xFE6F},
                                                                  {0xFF00, 0xFF60},
                                                                  {0xFFE0, 0xFFE6},
                                                                  {0x16FE0, 0x1FBFF},
                                                                  {0x20000, 0x3FFFD}}};
    return std::any_of(wide.begin(), wide.end(), [code](const auto& range) {
        return code >= range.first && code <= range.second;
    });
}

/// The first character of `text`, which is UTF-8.
Character character_at(std::string_view text) noexcept {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t code = bytes == 1 ? first : first & (0xFFU >> (bytes + 1));
    for (std::size_t i = 1; i < std::min(bytes, text.size()); ++i) {
        code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    return {.bytes = std::min(bytes, text.size()),
            .columns = is_double(code) ? std::size_t{2} : std::size_t{1}};
}

/// As much of the end as fits.
std::string_view tail_of(std::string_view text, std::size_t columns) {
    auto all = columns_of(text);
    while (all > columns) {
        const auto first = character_at(text);
        all -= first.columns;
        text.remove_prefix(first.bytes);
    }
    return text;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto next = character_at(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::string_view first_columns(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    while (end < text.size()) {
        const auto next = character_at(text.substr(end));
        if (next.columns > columns) {
            break;
        }
        columns -= next.columns;
        end += next.bytes;
    }
    return text.substr(0, end);
}

std::string for_terminal(std::string_view text, bool utf8) {
    auto safe = escaped(text);
    if (utf8) {
        return safe;
    }
    std::string ascii;
    for (std::string_view left = safe; !left.empty();) {
        const auto next = character_at(left);
        ascii += next.bytes == 1 ? left.substr(0, 1) : std::string_view("?");
        left.remove_prefix(next.bytes);
    }
    return ascii;
}

std::string shortened_in_the_middle(std::string_view text, std::size_t columns, bool utf8) {
    if (columns_of(text) <= columns) {
        return std::string(text);
    }
    const std::string_view dots = utf8 ? "…" : "..";
    const auto dots_width = columns_of(dots);
    if (columns <= dots_width) {
        return std::string(first_columns(dots, columns));
    }
    const auto room = columns - dots_width;
    const auto tail = tail_of(text, room / 2);
    return std::string(first_columns(text, room - room / 2)) + std::string(dots) +
           std::string(tail);
}

}  // namespace routerd::ctl
