#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace routerd {

/// ASCII only: model names and header fields are compared this way.
constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string to_lower(std::string_view text);
inline bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i])) {
            return false;
        }
    }
    return true;
}
std::string_view trim(std::string_view text) noexcept;

/// "a,b,,c" by ',' is {"a", "b", "", "c"}; the views live as long as `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Makes foreign text safe for a terminal or a log line: control characters (C0, DEL, C1),
/// bidirectional overrides and bytes that are not UTF-8 become \xNN or \u{NNNN}.
std::string escaped(std::string_view text);

/// The same as messages name something: 'text'.
std::string in_quotes(std::string_view text);

/// `text` with U+FFFD in place of every byte that is not UTF-8, so that JSON can carry it.
std::string valid_utf8(std::string_view text);

/// The candidate nearest to `word` by edit distance, for "did you mean"; empty when none is near
/// (a third of the word's length, at least 1). A word of more than 128 bytes is near to nothing:
/// its length is its sender's choice, and the work grows with it.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Splits as a POSIX shell would split words (quotes and backslashes, no expansion); an open quote
/// ends at the end.
std::vector<std::string> shell_split(std::string_view line);

/// One word quoted so that a POSIX shell reads it back unchanged.
std::string shell_quote(std::string_view word);

}  // namespace routerd
