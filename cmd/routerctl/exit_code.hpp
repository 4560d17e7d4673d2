#pragma once

#include "common/base/error.hpp"

namespace routerd::ctl {

/// What routerctl ends with; part of its contract (routerctl(1)).
enum ExitCode : int {
    exit_ok = 0,
    exit_error = 1,
    exit_usage = 2,
    exit_inactive = 3,  ///< not loaded, or the daemon is stopping
    exit_not_found = 4,
    exit_refused = 5,  ///< would not fit, in use, forbidden
    exit_unreachable = 6,
    exit_interrupted = 130,
};

/// The one place where errors become exit codes.
ExitCode exit_code(Errc code) noexcept;

}  // namespace routerd::ctl
