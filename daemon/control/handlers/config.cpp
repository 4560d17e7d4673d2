#include <algorithm>
#include <array>
#include <string_view>

#include "common/api/log.hpp"
#include "common/api/settings.hpp"
#include "common/base/text.hpp"
#include "common/config/keys.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/telemetry/logging.hpp"

namespace routerd::control {

Result<Response> list_config(Control& control, Exchange& /*exchange*/) {
    api::ConfigList list;
    for (const auto& value : control.services().config().values) {
        list.items.push_back({value.key, value.value, value.origin});
    }
    return json_reply(list);
}

Reply reload_config(Control& control, Exchange& /*exchange*/) {
    auto& services = control.services();
    const Config before = services.config().config;
    const auto reloaded = co_await services.reload();
    if (!reloaded) {
        co_return reloaded.error();
    }
    api::ReloadResult result;
    for (auto& key : difference(before, services.config().config)) {
        auto& keys = needs_restart(key) ? result.restart_required : result.changed;
        keys.push_back(std::move(key));
    }
    co_return json_reply(result);
}

Result<Response> get_log_level(Control& /*control*/, Exchange& /*exchange*/) {
    return json_reply(api::LogLevel{log_level()});
}

Result<Response> put_log_level(Control& control, Exchange& exchange) {
    constexpr std::array<std::string_view, 5> levels{"trace", "debug", "info", "warn", "error"};
    const auto wanted = body_of<api::LogLevel>(exchange);
    if (!wanted) {
        return wanted.error();
    }
    if (std::ranges::find(levels, wanted->level) == levels.end()) {
        return Error(Errc::invalid_request, "level is '" + escaped(wanted->level) +
                                                "', not trace, debug, info, warn or error")
            .with_param("level");
    }
    set_log_level(wanted->level);
    return get_log_level(control, exchange);
}

}  // namespace routerd::control
