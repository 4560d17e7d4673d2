#include <cmath>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

struct PsOptions {
    bool all = false;
};

std::string state_of(const api::Instance& instance) {
    return instance.state == "loading" && instance.progress_percent
               ? "loading " + std::to_string(*instance.progress_percent) + "%"
               : instance.state;
}

std::string rate_of(const api::Instance& instance) {
    if (!instance.tokens_per_second) {
        return "";
    }
    const auto tenths = std::llround(*instance.tokens_per_second * 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string until_of(const api::Instance& instance, WallTime now) {
    if (instance.retry_at) {
        return "retry " + format_relative(*instance.retry_at, now);
    }
    if (instance.pinned) {
        return "pinned";
    }
    if (!instance.until) {
        return instance.state == "ready" ? "forever" : "";
    }
    return *instance.until <= now ? "now" : format_relative(*instance.until, now);
}

/// What tells the state and use of a server.
std::vector<Column<api::Instance>> usual_columns(WallTime now) {
    using Row = api::Instance;
    return {
        {"NAME", [](const Row& i) { return Cell(i.model); }},
        {"STATE", [](const Row& i) { return Cell(state_of(i), style_of_state(i.state)); }},
        {"SLOTS",
         [](const Row& i) { return Cell(std::to_string(i.busy) + "/" + std::to_string(i.slots)); }},
        {"QUEUE", [](const Row& i) { return Cell(std::to_string(i.queue)); }},
        {"MEM",
         [](const Row& i) {
             return Cell(i.memory_bytes == 0 ? "" : format_bytes(i.memory_bytes));
         }},
        {"DEVICE", [](const Row& i) { return Cell(i.device); }},
        {"CTX", [](const Row& i) { return Cell(i.context == 0 ? "" : std::to_string(i.context)); }},
        {"TOK/S", [](const Row& i) { return Cell(rate_of(i)); }},
        {"UNTIL", [now](const Row& i) { return Cell(until_of(i, now)); }},
        {"PID", [](const Row& i) { return Cell(i.pid ? std::to_string(*i.pid) : ""); }},
        {"PORT", [](const Row& i) { return Cell(i.port ? std::to_string(*i.port) : ""); }},
    };
}

Layout<api::Instance> layout(WallTime now) {
    using Row = api::Instance;
    using When = Column<Row>::When;
    Layout<Row> layout;
    layout.id = [](const Row& instance) { return instance.model; };
    layout.columns = usual_columns(now);
    layout.columns.insert(
        layout.columns.end(),
        {{"ADDRESS", [](const Row& i) { return Cell(i.address); }, When::wide},
         {"STARTED",
          [now](const Row& i) { return Cell(i.started ? format_relative(*i.started, now) : ""); },
          When::wide},
         {"LOAD", [](const Row& i) { return Cell(i.load_ms ? format_duration(*i.load_ms) : ""); },
          When::wide},
         {"LAST ERROR", [](const Row& i) { return Cell(i.last_error); }, When::wide}});
    return layout;
}

int run_ps(Context& context, const PsOptions& options) {
    const auto which = options.all ? client::Client::Which::all : client::Client::Which::running;
    const auto list = context.client.instances(which);
    if (!list) {
        return context.fail(list.error());
    }
    return print_list(context, *list, layout(context.now));
}

}  // namespace

void add_ps(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("ps", "List running models");
    auto options = std::make_shared<PsOptions>();
    command->add_flag("-a,--all", options->all, "models that crashed or failed too");
    set_action(*command, invocation, options, run_ps);
}

}  // namespace routerd::ctl
