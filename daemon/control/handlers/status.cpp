#include "common/api/status.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <unistd.h>

#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/proc.hpp"
#include "daemon/control/program.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/telemetry/log_ring.hpp"

namespace routerd::control {
namespace {

void add_models(api::Status& status, const Snapshot& snapshot, const Fleet& fleet) {
    status.models.total = snapshot.models.size();
    status.models.broken = snapshot.broken.size();
    for (const auto& model : snapshot.models) {
        status.models.enabled += model->enabled ? 1U : 0U;
    }
    if (!snapshot.default_model.empty()) {
        status.default_model = snapshot.default_model;
    }
    for (const auto& view : fleet.instances()) {
        status.models.loaded += view.state == InstanceState::ready ? 1U : 0U;
        status.models_memory_bytes += view.rss_bytes;
        status.instances.push_back(to_instance(view));
        if (view.state == InstanceState::failed) {
            status.problems.push_back("model '" + view.model + "' failed: " + view.last_error);
        }
    }
}

void add_log(api::Status& status, const LogRing& ring) {
    constexpr std::ptrdiff_t shown = 10;
    auto lines = ring.after(0);
    if (std::ssize(lines) > shown) {
        lines.erase(lines.begin(), lines.end() - shown);
    }
    for (auto& line : lines) {
        status.log.push_back({line.time, std::move(line.text)});
    }
}

}  // namespace

Result<Response> status(Control& control, Exchange& /*exchange*/) {
    const auto& services = control.services();
    const auto facts = services.daemon();
    const auto& loaded = services.config();
    api::Status status;
    status.version = ROUTERD_VERSION;
    status.pid = ::getpid();
    status.started = facts.started;
    status.uptime_ms = facts.uptime;
    status.config_files = loaded.files;
    status.listen = facts.addresses;
    status.state_dir = loaded.config.state.dir;
    status.memory_bytes = read_own_memory();
    const auto memory = read_host_memory();
    status.host_memory_bytes = memory.total;
    status.host_memory_available_bytes = memory.available;
    status.problems = facts.problems;
    const auto program = server_program(services.fleet);
    if (program) {
        status.llama_server = *program;
    } else {
        status.problems.push_back(program.error().message());
    }
    add_models(status, *services.catalog.snapshot(), services.fleet);
    if (!services.catalog.active_profile().empty()) {
        status.active_profile = services.catalog.active_profile();
    }
    status.requests = {.active = facts.active,
                       .queued = services.fleet.totals().queued,
                       .total = facts.requests,
                       .failed = facts.failed};
    add_log(status, services.log);
    status.state = facts.stopping ? "stopping" : status.problems.empty() ? "running" : "degraded";
    return json_reply(status);
}

}  // namespace routerd::control
