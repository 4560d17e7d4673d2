#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

struct SwitchOptions {
    std::string name;
    bool exclusive = false;
    bool dry_run = false;
    bool no_wait = false;
};

void show_plan(const Context& context, const api::SwitchPlan& plan) {
    context.out() << escaped(plan.model) << " is " << escaped(plan.state)
                  << (plan.load ? " and would be loaded\n" : " already\n");
    for (const auto& eviction : plan.evict) {
        context.out() << "would unload " << escaped(eviction.model);
        if (eviction.memory_bytes != 0) {
            context.out() << " (" << format_bytes(eviction.memory_bytes) << ")";
        }
        if (eviction.busy != 0) {
            context.out() << " after " << eviction.busy
                          << (eviction.busy == 1 ? " request" : " requests");
        }
        context.out() << ": " << escaped(eviction.reason) << '\n';
    }
    if (plan.evict.empty()) {
        context.out() << "nothing would be unloaded\n";
    }
    if (!plan.note.empty()) {
        context.out() << escaped(plan.note) << '\n';
    }
}

int plan_only(Context& context, const SwitchOptions& options) {
    const auto plan = context.client.plan_switch(options.name, options.exclusive);
    if (!plan) {
        return context.fail(plan.error());
    }
    return print_value(context, *plan, plan->model, [&] { show_plan(context, *plan); });
}

/// One line for a stage that is over; on a terminal also a passing one while it goes on.
void tell_stage(const Context& context, const api::SwitchStage& stage) {
    auto& err = context.terminal.err;
    const auto text =
        stage.name + " " + stage.model + (stage.message.empty() ? "" : ": " + stage.message);
    if (context.terminal.err_is_tty) {
        err << "\r\x1b[K" << escaped(text);
    }
    if (stage.ms) {
        err << (context.terminal.err_is_tty ? "" : escaped(text)) << "  "
            << format_duration(*stage.ms) << '\n';
    }
    err << std::flush;
}

int run_switch(Context& context, const SwitchOptions& options) {
    if (options.dry_run) {
        return plan_only(context, options);
    }
    api::SwitchRequest request;
    request.model = options.name;
    request.exclusive = options.exclusive;
    request.wait = !options.no_wait;
    const auto result = context.client.switch_to(
        request, [&context](const api::SwitchStage& stage) { tell_stage(context, stage); });
    if (!result) {
        if (context.terminal.err_is_tty) {
            context.terminal.err << "\r\x1b[K";
        }
        return context.fail(result.error());
    }
    return print_value(context, *result, result->model, [&] {
        context.out() << escaped(result->model) << (options.no_wait ? "" : "  ")
                      << (options.no_wait ? "" : format_duration(result->total_ms)) << '\n';
    });
}

}  // namespace

void add_switch(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("switch", "Make a model the default one and load it");
    auto options = std::make_shared<SwitchOptions>();
    add_model(*command, options->name);
    command->add_flag("--exclusive", options->exclusive, "unload every other model");
    command->add_flag("--dry-run", options->dry_run, "only say what would be unloaded, and why");
    command->add_flag("--no-wait", options->no_wait, "do not wait until it is loaded");
    set_action(*command, invocation, options, run_switch);
}

}  // namespace routerd::ctl
