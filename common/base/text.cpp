#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <utility>

namespace routerd {
namespace {

struct Decoded {
    std::uint32_t code;
    std::size_t length;  // 0: not UTF-8
};

/// One code point from the front of `text` (not empty); RFC 3629: no overlong forms, no surrogates.
Decoded decode(std::string_view text) noexcept {
    const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) {
        return {0, 0};
    }
    std::uint32_t code = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return {0, 0};
        }
        code = code << 6U | (byte(i) & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least.at(length) || code > 0x10FFFF || surrogate ? Decoded{0, 0}
                                                                   : Decoded{code, length};
}

bool is_unsafe(std::uint32_t code) noexcept {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x200E && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xFEFF;
}

/// The last rows of the table of edit_distance(): i, i - 1 and i - 2.
struct TableRows {
    explicit TableRows(std::size_t columns) : row(columns), last(columns), before(columns) {}

    void next() {
        before.swap(last);
        last.swap(row);
    }

    std::vector<std::size_t> row;
    std::vector<std::size_t> last;
    std::vector<std::size_t> before;
};

void fill_row(std::string_view a, std::string_view b, std::size_t i, TableRows& rows) {
    auto& [row, last, before] = rows;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
        const std::size_t substitute = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
        row[j] = std::min({substitute, last[j] + 1, row[j - 1] + 1});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
            row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours, each counted once.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    TableRows rows(b.size() + 1);
    std::iota(rows.row.begin(), rows.row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        rows.next();
        fill_row(a, b, i, rows);
    }
    return rows.row.back();
}

bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
}

}  // namespace

std::string to_lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return to_lower(c); });
    return result;
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string result;
    for (const auto& part : parts) {
        if (!result.empty()) {
            result += separator;
        }
        result += part;
    }
    return result;
}

std::string escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    std::array<char, 16> code{};
    while (!text.empty()) {
        const auto decoded = decode(text);
        const auto length = std::max<std::size_t>(decoded.length, 1);
        if (decoded.length == 0 || (decoded.code < 0x100 && is_unsafe(decoded.code))) {
            const unsigned value = decoded.length == 0 ? static_cast<unsigned char>(text.front())
                                                       : static_cast<unsigned>(decoded.code);
            std::snprintf(code.data(), code.size(), "\\x%02X", value);
            result += code.data();
        } else if (is_unsafe(decoded.code)) {
            std::snprintf(code.data(), code.size(), "\\u{%04X}",
                          static_cast<unsigned>(decoded.code));
            result += code.data();
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    return "'" + escaped(text) + "'";
}

std::string valid_utf8(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto length = decode(text).length;
        result += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest = 128;
    std::string best;
    if (word.size() > longest) {
        return best;
    }
    const auto wanted = to_lower(word);
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        const auto longer = std::max(word.size(), candidate.size());
        if (longer - std::min(word.size(), candidate.size()) >= best_distance) {
            continue;
        }
        const auto distance = edit_distance(wanted, to_lower(candidate));
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::vector<std::string> shell_split(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool is_literal = quote == '\'' || (quote == '"' && c != '\\');
        if (is_literal && c == quote) {
            quote = 0;
        } else if (is_literal) {
            word += c;
        } else if (c == '\\' && i + 1 < line.size()) {
            word += line[++i];
            in_word = true;
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (c != ' ' && c != '\t' && c != '\n') {
            word += c;
            in_word = true;
        } else if (std::exchange(in_word, false)) {
            words.push_back(std::exchange(word, {}));
        }
    }
    if (in_word) {
        words.push_back(word);
    }
    return words;
}

std::string shell_quote(std::string_view word) {
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
        return std::string(word);
    }
    std::string result = "'";
    for (const char c : word) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

}  // namespace routerd
