#include "common/api/removal.hpp"

#include <utility>

#include "common/base/log.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/pull/pulls.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/telemetry/event_log.hpp"

namespace routerd::control {
namespace {

using pull::Outside;

/// One that crashed or failed has no server that reads its files.
bool has_server(const Fleet& fleet, const std::string& id) {
    const auto state = fleet.model_state(id);
    return state != InstanceState::off && state != InstanceState::crashed &&
           state != InstanceState::failed;
}

Error is_loaded(const std::string& id) {
    return Error(Errc::conflict, "'" + id + "' is loaded; unload it first")
        .with_hint("routerctl unload " + id + ", or --force");
}

/// What went is gone, whatever comes of this: watching the disk finds that out too.
asio::awaitable<void> look_again(Catalog& catalog, std::string id) {
    const auto scanned = co_await catalog.rescan();
    if (!scanned) {
        spdlog::warn("scan after the removal of '{}': {}", id, scanned.error().message());
    }
}

void tell_removed(EventLog& events, const api::RemovedModel& gone) {
    api::Event event;
    event.type = "model.removed";
    event.model = gone.id;
    event.message = "'" + gone.id + "' was removed";
    event.details = {{"files", std::to_string(gone.files.size())},
                     {"freed", std::to_string(gone.freed)}};
    events.append(std::move(event));
}

asio::awaitable<Result<std::vector<pull::Doomed>>> aim_at(Control& control, std::string id,
                                                          Outside outside) {
    const auto model = find_model(control, id);
    if (!model) {
        co_return model.error();
    }
    const auto files = pull::files_of(*control.services().catalog.snapshot(), **model);
    if (!files) {
        co_return files.error();
    }
    co_return co_await control.services().pulls.take_aim(*files, outside);
}

}  // namespace

Reply remove_model(Control& control, Exchange& exchange) {
    auto& services = control.services();
    const auto force = query_flag(exchange, "force", false);
    if (!force) {
        co_return force.error();
    }
    const auto model = path_model(control, exchange);
    if (!model) {
        co_return model.error();
    }
    const auto id = (*model)->id;
    const auto outside = *force ? Outside::removed : Outside::refused;
    auto doomed = co_await aim_at(control, id, outside);  // before a server ends for nothing
    if (!doomed) {
        co_return doomed.error();
    }
    if (has_server(services.fleet, id)) {
        if (!*force) {
            co_return is_loaded(id);
        }
        const auto unloaded = co_await services.fleet.unload(id);
        if (!unloaded) {
            co_return unloaded.error();
        }
        doomed = co_await aim_at(control, id, outside);  // another world by now
        if (!doomed) {
            co_return doomed.error();
        }
    }
    const auto removed = co_await services.pulls.remove_files(std::move(*doomed));
    co_await look_again(services.catalog, id);  // a part of it may be gone after a failure too
    if (!removed) {
        co_return removed.error();
    }
    api::RemovedModel gone;
    gone.id = id;
    for (const auto& file : *removed) {
        gone.files.push_back(file.path);
        gone.freed += file.bytes;
    }
    tell_removed(services.events, gone);
    co_return json_reply(gone);
}

Reply prune(Control& control, Exchange& exchange) {
    const auto request = body_of<api::PruneRequest>(exchange);
    if (!request) {
        co_return request.error();
    }
    const auto result = co_await control.services().pulls.prune(*request);
    if (!result) {
        co_return result.error();
    }
    co_return json_reply(*result);
}

}  // namespace routerd::control
