#pragma once

#include <string_view>

namespace routerd {

/// "Not Found" for 404; "Unknown" for one that has no name here.
std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace routerd
