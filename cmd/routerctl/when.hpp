#pragma once

#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd::ctl {

/// --since and --until: a duration before `now` ("10m") or an RFC 3339 time. Errors:
/// invalid_request.
Result<WallTime> parse_when(std::string_view text, WallTime now);

}  // namespace routerd::ctl
