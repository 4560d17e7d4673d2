#include <array>
#include <functional>
#include <string>
#include <utility>

#include "common/api/openapi.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"

namespace routerd {
namespace {

using Immediate = Result<Response> (*)(Control&, Exchange&);
using Waiting = control::Reply (*)(Control&, Exchange&);
using Whole = asio::awaitable<void> (*)(Control&, Exchange&);

asio::awaitable<void> send(Exchange& exchange, Result<Response> result) {
    auto response = result ? std::move(*result) : control_error(result.error());
    co_await exchange.respond(std::move(response));
}

asio::awaitable<void> await_and_send(Exchange& exchange, control::Reply pending) {
    auto result = co_await std::move(pending);
    co_await send(exchange, std::move(result));
}

Handler handler(Control& control, Immediate function) {
    return [&control, function](Exchange& exchange) {
        return send(exchange, function(control, exchange));
    };
}

Handler handler(Control& control, Waiting function) {
    return [&control, function](Exchange& exchange) {
        return await_and_send(exchange, function(control, exchange));
    };
}

Handler handler(Control& control, Whole function) {
    return [&control, function](Exchange& exchange) { return function(control, exchange); };
}

Result<Response> openapi(Exchange& /*exchange*/) {
    return Response::json(std::string(api::openapi_document()));
}

}  // namespace

std::vector<Route> Control::routes() {
    std::vector<Route> table;
    const auto add = [this, &table](const char* method, const char* path, auto function) {
        const auto scope = std::string_view(method) == "GET" ? Scope::read : Scope::admin;
        table.push_back({method, std::string("/control/v1/") + path, scope,
                         handler(*this, function), Dialect::openai});
    };
    add("GET", "status", control::status);
    add("GET", "doctor", control::doctor);
    add("GET", "models", control::list_models);
    add("GET", "models/{id}", control::get_model);
    add("PATCH", "models/{id}", control::change_model);
    add("DELETE", "models/{id}", control::remove_model);
    add("POST", "models/{id}/load", control::load_model);
    add("POST", "models/{id}/unload", control::unload_model);
    add("POST", "models/{id}/restart", control::restart_model);
    add("POST", "models/{id}/reset", control::reset_model);
    add("POST", "models/{id}/pin", control::pin_model);
    add("POST", "models/{id}/unpin", control::unpin_model);
    add("GET", "models/{id}/logs", control::model_log);
    add("GET", "logs", control::daemon_log);
    add("GET", "instances", control::list_instances);
    add("GET", "instances/{id}/logs", control::instance_log);
    add("POST", "unload", control::unload_all);
    add("POST", "switch", control::switch_model);
    add("POST", "rescan", control::rescan);
    add("GET", "memory", control::list_memory);
    add("POST", "estimate", control::estimate);
    add("GET", "queue", control::list_queue);
    add("DELETE", "queue/{id}", control::cancel_queued);
    add("GET", "explain", control::explain);
    add("GET", "profiles", control::list_profiles);
    add("POST", "profiles", control::create_profile);
    add("GET", "profiles/{name}", control::get_profile);
    add("PUT", "profiles/{name}", control::replace_profile);
    add("DELETE", "profiles/{name}", control::remove_profile);
    add("POST", "profiles/{name}/activate", control::activate_profile);
    add("POST", "profiles/{name}/deactivate", control::deactivate_profile);
    add("GET", "events", control::list_events);
    add("GET", "requests", control::list_requests);
    add("GET", "keys", control::list_keys);
    add("POST", "keys", control::create_key);
    add("DELETE", "keys/{name}", control::revoke_key);
    add("GET", "pulls", control::list_pulls);
    add("POST", "pulls", control::begin_pull);
    add("GET", "pulls/{id}", control::get_pull);
    add("PATCH", "pulls/{id}", control::change_pull);
    add("DELETE", "pulls/{id}", control::remove_pull);
    add("POST", "pulls/{id}/pause", control::pause_pull);
    add("POST", "pulls/{id}/resume", control::resume_pull);
    add("POST", "prune", control::prune);
    add("GET", "config", control::list_config);
    add("POST", "config/reload", control::reload_config);
    add("GET", "log-level", control::get_log_level);
    add("PUT", "log-level", control::put_log_level);
    add("POST", "shutdown", control::shut_down);
    add("POST", "upgrade", control::upgrade);
    table.push_back(
        {"GET", "/openapi.json", Scope::open, reply(std::function(openapi)), Dialect::openai});
    return table;
}

}  // namespace routerd
