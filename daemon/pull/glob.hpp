#pragma once

#include <string_view>

namespace routerd::pull {

/// Whether all of `text` is what `pattern` says, by byte: '*' is any run, '/' too, '?' any one,
/// "[abc]", "[a-z]" and "[!a-z]" one of a set. Takes time in proportion to both lengths multiplied,
/// whatever the pattern (fnmatch(3) may take for ever).
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace routerd::pull
