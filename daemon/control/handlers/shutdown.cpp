#include "common/api/shutdown.hpp"

#include <unistd.h>

#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {

Result<Response> shut_down(Control& control, Exchange& exchange) {
    constexpr unsigned accepted = 202;
    api::ShutdownRequest wanted;
    if (!exchange.body().empty()) {
        auto request = body_of<api::ShutdownRequest>(exchange);
        if (!request) {
            return request.error();
        }
        wanted = *request;
    } else if (const auto checked = check_content_type(exchange); !checked) {
        return checked.error();
    }
    auto& services = control.services();
    if (services.daemon().stopping) {
        return Error(Errc::conflict, "routerd stops already")
            .with_hint("SIGTERM to process " + std::to_string(::getpid()) +
                       " makes it not wait for the requests that run");
    }
    api::ShutdownResult result;
    result.pid = static_cast<std::uint64_t>(::getpid());
    result.keep_models = wanted.keep_models;
    result.models = running_models(services.fleet);
    services.shutdown(wanted.keep_models);
    return json_reply(result, accepted);
}

Reply upgrade(Control& control, Exchange& exchange) {
    const auto result = co_await control.services().upgrade(&exchange.connection());
    if (!result) {
        co_return result.error();
    }
    co_return json_reply(*result);
}

}  // namespace routerd::control
