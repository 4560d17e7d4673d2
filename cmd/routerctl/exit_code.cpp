#include "cmd/routerctl/exit_code.hpp"

namespace routerd::ctl {

ExitCode exit_code(Errc code) noexcept {
    switch (code) {
        case Errc::invalid_request:
            return exit_usage;
        case Errc::not_found:
        case Errc::model_not_found:
            return exit_not_found;
        case Errc::invalid_api_key:
        case Errc::forbidden:
        case Errc::conflict:
        case Errc::payload_too_large:
        case Errc::rate_limited:
        case Errc::queue_full:
        case Errc::would_not_fit:
        case Errc::quarantined:
            return exit_refused;
        case Errc::unreachable:
            return exit_unreachable;
        case Errc::cancelled:
            return exit_interrupted;
        case Errc::internal:
        case Errc::load_failed:
        case Errc::deadline_exceeded:
        case Errc::upstream_error:
        case Errc::shutting_down:
        case Errc::unavailable:
            return exit_error;
    }
    return exit_error;
}

}  // namespace routerd::ctl
