#pragma once

#include <cstddef>
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

/// The same by what every processor can do. Else the widest instructions of this one are used.
namespace narrow {
std::size_t end_of_json_string(std::string_view text, std::size_t at) noexcept;
std::size_t end_of_json_nest(std::string_view text, std::size_t at) noexcept;
}  // namespace narrow

}  // namespace routerd
