#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/output/sheet.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

std::string memory_of(const api::Status& status) {
    auto text = "daemon " + format_bytes(status.memory_bytes) + ", models " +
                format_bytes(status.models_memory_bytes);
    if (status.host_memory_bytes != 0) {
        text += ", " + format_bytes(status.host_memory_available_bytes) + " of " +
                format_bytes(status.host_memory_bytes) + " available";
    }
    return text;
}

std::string models_of(const api::ModelCounts& models) {
    auto text = std::to_string(models.enabled) + " enabled, " + std::to_string(models.loaded) +
                " loaded, " + std::to_string(models.total) + " in all";
    return models.broken == 0 ? text : text + "; broken files: " + std::to_string(models.broken);
}

std::string requests_of(const api::RequestCounts& requests) {
    return std::to_string(requests.active) + " active, " + std::to_string(requests.queued) +
           " queued, " + std::to_string(requests.total) + " since start, " +
           std::to_string(requests.failed) + " failed";
}

std::string instance_line(const api::Instance& instance) {
    auto text = instance.model + "  " + instance.state + "  " + std::to_string(instance.busy) +
                "/" + std::to_string(instance.slots) + " busy";
    return instance.memory_bytes == 0 ? text : text + "  " + format_bytes(instance.memory_bytes);
}

void show_status(const Context& context, const api::Status& status) {
    const auto style = style_of_state(status.state == "degraded" ? "failed" : status.state);
    auto& out = context.out();
    out << context.colors.paint("●", style) << " routerd " << escaped(status.version)
        << " - local model router\n";
    Sheet sheet;
    sheet.add("    active", status.state + " since " + format_rfc3339(status.started) + "; " +
                                format_duration(status.uptime_ms));
    sheet.add("       pid", std::to_string(status.pid));
    sheet.add("    memory", memory_of(status));
    sheet.add("    listen", join(status.listen, ", "));
    sheet.add("    config", join(status.config_files, ", "));
    sheet.add("     state", status.state_dir);
    sheet.add("    server", status.llama_server);
    sheet.add("   default", status.default_model.value_or(""));
    sheet.add("   profile", status.active_profile.value_or(""));
    sheet.add("    models", models_of(status.models));
    sheet.add("  requests", requests_of(status.requests));
    std::vector<std::string> running;
    for (const auto& instance : status.instances) {
        running.push_back(instance_line(instance));
    }
    sheet.add_all("   running", running);
    sheet.add_all("  problems", status.problems);
    sheet.print(out);
    if (!status.log.empty()) {
        out << '\n';
    }
    for (const auto& line : status.log) {
        out << (line.time ? format_rfc3339(*line.time) + " " : "") << escaped(line.text) << '\n';
    }
}

int run_status(Context& context) {
    const auto status = context.client.status();
    if (!status) {
        return context.fail(status.error());
    }
    const int printed =
        print_value(context, *status, status->state, [&] { show_status(context, *status); });
    return worst(printed, status->state == "stopping" ? exit_inactive : exit_ok);
}

}  // namespace

void add_status(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("status", "Show how the daemon is doing");
    set_action(*command, invocation, run_status);
}

}  // namespace routerd::ctl
