#include "daemon/pull/glob.hpp"

#include <cstddef>

namespace routerd::pull {
namespace {

/// The length of the set that `pattern` begins with, brackets too; 0: it is no set, a bare '['.
std::size_t set_length(std::string_view pattern) noexcept {
    const std::size_t first = pattern.substr(1).starts_with('!') ? 2 : 1;
    const auto end = pattern.find(']', first + 1);  // a ']' in front is one of the set
    return end == std::string_view::npos ? 0 : end + 1;
}

bool in_set(std::string_view set, char c) noexcept {
    const bool is_negated = set.substr(1).starts_with('!');
    auto inner = set.substr(is_negated ? 2 : 1);
    inner.remove_suffix(1);
    bool found = false;
    for (std::size_t i = 0; i < inner.size(); ++i) {
        const bool is_range = i + 2 < inner.size() && inner[i + 1] == '-';
        const char last = is_range ? inner[i + 2] : inner[i];
        found = found || (c >= inner[i] && c <= last);
        i += is_range ? 2 : 0;
    }
    return found != is_negated;
}

/// How much of `pattern`, which does not begin with '*', stands for `c`; 0: it does not.
std::size_t step(std::string_view pattern, char c) noexcept {
    if (pattern.empty()) {
        return 0;
    }
    if (const auto length = pattern.front() == '[' ? set_length(pattern) : 0; length != 0) {
        return in_set(pattern.substr(0, length), c) ? length : 0;
    }
    return pattern.front() == '?' || pattern.front() == c ? 1 : 0;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
    std::size_t at = 0;
    std::size_t i = 0;
    std::size_t after_star = std::string_view::npos;
    std::size_t tried = 0;  // how much of the text the last '*' has taken
    while (i < text.size()) {
        const auto rest = pattern.substr(at);
        if (rest.starts_with('*')) {
            after_star = ++at;
            tried = i;
        } else if (const auto length = step(rest, text[i]); length != 0) {
            at += length;
            ++i;
        } else if (after_star != std::string_view::npos) {
            at = after_star;
            i = ++tried;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace routerd::pull
