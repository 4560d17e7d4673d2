#include "common/api/settings.hpp"
#include "common/config/keys.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"

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

}  // namespace routerd::control
