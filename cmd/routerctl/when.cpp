#include "cmd/routerctl/when.hpp"

#include "common/base/units.hpp"

namespace routerd::ctl {

Result<WallTime> parse_when(std::string_view text, WallTime now) {
    const auto time = parse_rfc3339(text);
    if (time) {
        return *time;
    }
    const auto ago = parse_duration(text);
    if (ago) {
        return now - *ago;
    }
    return Error(Errc::invalid_request, "'" + std::string(text) + "' is not a time")
        .with_hint("examples: 10m (ago), 2h, 2026-11-21T15:04:05Z");
}

}  // namespace routerd::ctl
