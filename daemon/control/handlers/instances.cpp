#include <chrono>
#include <utility>

#include "common/api/instance.hpp"
#include "common/api/model.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

constexpr unsigned accepted = 202;

api::LoadResult load_result(const Fleet& fleet, const std::string& id) {
    const auto view = fleet.view(id);
    api::LoadResult result;
    result.model = id;
    result.state = to_string(view.state);
    if (view.is_there()) {
        result.instance = to_instance(view);
    }
    return result;
}

/// Without a client: what goes wrong is in the events and in `ps`.
asio::awaitable<void> unload_later(Fleet& fleet, std::string id) {
    co_await fleet.unload(std::move(id));
}

asio::awaitable<void> unload_all_later(Fleet& fleet) {
    co_await fleet.unload_all();
}

asio::awaitable<void> restart_later(Fleet& fleet, std::string id) {
    co_await fleet.restart(std::move(id));
}

/// What the life of one model is asked for by.
struct AskedOfModel {
    std::string id;
    bool wait = true;  ///< for the end of it
};

Result<AskedOfModel> asked_of_model(Control& control, Exchange& exchange) {
    const auto model = path_model(control, exchange);
    if (!model) {
        return model.error();
    }
    const auto wait = query_flag(exchange, "wait", true);
    if (!wait) {
        return wait.error();
    }
    return AskedOfModel{(*model)->id, *wait};
}

}  // namespace

Result<Response> list_instances(Control& control, Exchange& exchange) {
    const auto all = query_flag(exchange, "all", false);
    if (!all) {
        return all.error();
    }
    api::InstanceList list;
    for (const auto& view : control.services().fleet.instances()) {
        if (*all || view.is_there()) {
            list.items.push_back(to_instance(view));
        }
    }
    return json_reply(list);
}

Reply load_model(Control& control, Exchange& exchange) {
    auto& fleet = control.services().fleet;
    const auto begin = std::chrono::steady_clock::now();
    const auto asked = asked_of_model(control, exchange);
    if (!asked) {
        co_return asked.error();
    }
    const auto& [id, wait] = *asked;
    const bool already = fleet.model_state(id) == InstanceState::ready;
    Result<void> done;
    if (wait) {
        done = co_await fleet.load(id);
    } else {
        done = fleet.start_load(id);
    }
    if (!done) {
        co_return done.error();
    }
    auto result = load_result(fleet, id);
    result.already_loaded = already;
    result.ms = since(begin);
    co_return json_reply(result, wait || already ? 200 : accepted);
}

Reply unload_model(Control& control, Exchange& exchange) {
    auto& fleet = control.services().fleet;
    const auto asked = asked_of_model(control, exchange);
    if (!asked) {
        co_return asked.error();
    }
    const auto& [id, wait] = *asked;
    api::UnloadResult result;
    if (!wait) {
        if (fleet.view(id).is_there()) {
            result.models.push_back(id);
        }
        control.tasks().spawn(unload_later(fleet, id));
        co_return json_reply(result, accepted);
    }
    const auto unloaded = co_await fleet.unload(id);
    if (!unloaded) {
        co_return unloaded.error();
    }
    if (*unloaded) {
        result.models.push_back(id);
    }
    co_return json_reply(result);
}

Reply unload_all(Control& control, Exchange& exchange) {
    auto& fleet = control.services().fleet;
    const auto wait = query_flag(exchange, "wait", true);
    if (!wait) {
        co_return wait.error();
    }
    api::UnloadResult result;
    result.models = running_models(fleet);
    if (!*wait) {
        control.tasks().spawn(unload_all_later(fleet));
        co_return json_reply(result, accepted);
    }
    co_await fleet.unload_all();
    co_return json_reply(result);
}

Reply restart_model(Control& control, Exchange& exchange) {
    auto& fleet = control.services().fleet;
    const auto begin = std::chrono::steady_clock::now();
    const auto asked = asked_of_model(control, exchange);
    if (!asked) {
        co_return asked.error();
    }
    const auto& [id, wait] = *asked;
    if (!wait) {
        control.tasks().spawn(restart_later(fleet, id));
        co_return json_reply(load_result(fleet, id), accepted);
    }
    const auto done = co_await fleet.restart(id);
    if (!done) {
        co_return done.error();
    }
    auto result = load_result(fleet, id);
    result.ms = since(begin);
    co_return json_reply(result);
}

Reply reset_model(Control& control, Exchange& exchange) {
    auto& services = control.services();
    const auto model = path_model(control, exchange);
    if (!model) {
        co_return model.error();
    }
    const auto reset = services.fleet.reset((*model)->id);
    if (!reset) {
        co_return reset.error();
    }
    co_return json_reply(to_model(**model, *services.catalog.snapshot(), services.fleet));
}

}  // namespace routerd::control
