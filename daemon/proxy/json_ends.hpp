#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace routerd {

/// How many bytes behind a text may be read; what they are has no influence.
inline constexpr std::size_t json_padding = 64;

/// Where the string ends whose opening quote is just before `at`: the byte behind its closing
/// quote, or npos. `text` is padded.
std::size_t end_of_json_string(std::string_view text, std::size_t at) noexcept;

/// The same for the object or array whose bracket is just before `at`. Which kind of bracket closes
/// which is not looked at.
std::size_t end_of_json_nest(std::string_view text, std::size_t at) noexcept;

/// The two as one set of instructions has them. `text`, `size`, `at`: as above.
struct JsonEnds {
    std::size_t (*of_string)(const char* text, std::size_t size, std::size_t at) noexcept;
    std::size_t (*of_nest)(const char* text, std::size_t size, std::size_t at) noexcept;
};

/// All that this processor has, the one that is used as the last.
std::span<const JsonEnds> all_json_ends() noexcept;

}  // namespace routerd
