#include <utility>

#include "common/api/profile.hpp"
#include "common/base/text.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/paging.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {

Reply list_profiles(Control& control, Exchange& exchange) {
    const auto page = read_page(exchange);
    if (!page) {
        co_return page.error();
    }
    const auto prefix = to_lower(exchange.query("prefix").value_or(""));
    const auto profiles = co_await control.services().catalog.profiles();
    if (!profiles) {
        co_return profiles.error();
    }
    api::ProfileList list;
    for (const auto& profile : *profiles) {
        if (!profile.name.starts_with(prefix) || profile.name <= page->after) {
            continue;
        }
        if (page->limit != 0 && list.items.size() == page->limit) {
            list.next = list.items.back().name;
            break;
        }
        list.items.push_back(to_profile(profile));
    }
    co_return json_reply(list);
}

Reply get_profile(Control& control, Exchange& exchange) {
    const auto profile = co_await control.services().catalog.profile(exchange.param("name"));
    if (!profile) {
        co_return profile.error();
    }
    co_return json_reply(to_profile(*profile));
}

Reply create_profile(Control& control, Exchange& exchange) {
    const auto request = body_of<api::Profile>(exchange);
    if (!request) {
        co_return request.error();
    }
    auto wanted = from_profile(*request);
    const auto profile = co_await control.services().catalog.create_profile(std::move(wanted));
    if (!profile) {
        co_return profile.error();
    }
    co_return json_reply(to_profile(*profile), created_status);
}

Reply replace_profile(Control& control, Exchange& exchange) {
    auto& services = control.services();
    const auto request = body_of<api::Profile>(exchange);
    if (!request) {
        co_return request.error();
    }
    auto wanted = from_profile(*request);
    wanted.name = exchange.param("name");
    const auto profile = co_await services.catalog.replace_profile(std::move(wanted));
    if (!profile) {
        co_return profile.error();
    }
    if (profile->active) {
        services.fleet.preload(services.catalog.preload());
    }
    co_return json_reply(to_profile(*profile));
}

Reply remove_profile(Control& control, Exchange& exchange) {
    auto& catalog = control.services().catalog;
    const auto profile = co_await catalog.profile(exchange.param("name"));
    if (!profile) {
        co_return profile.error();
    }
    const auto removed = co_await catalog.remove_profile(profile->name);
    if (!removed) {
        co_return removed.error();
    }
    co_return json_reply(to_profile(*profile));
}

Reply activate_profile(Control& control, Exchange& exchange) {
    auto& services = control.services();
    const auto profile = co_await services.catalog.use_profile(exchange.param("name"));
    if (!profile) {
        co_return profile.error();
    }
    services.fleet.preload(services.catalog.preload());
    co_return json_reply(to_profile(*profile));
}

Reply deactivate_profile(Control& control, Exchange& exchange) {
    auto& catalog = control.services().catalog;
    auto profile = co_await catalog.profile(exchange.param("name"));
    if (!profile) {
        co_return profile.error();
    }
    if (catalog.active_profile() != profile->name) {
        co_return Error(Errc::conflict, "profile '" + profile->name + "' is not the active one");
    }
    const auto left = co_await catalog.leave_profile();
    if (!left) {
        co_return left.error();
    }
    profile->active = false;
    co_return json_reply(to_profile(*profile));
}

}  // namespace routerd::control
