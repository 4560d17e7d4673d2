#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct UnloadOptions {
    std::vector<std::string> names;
    bool all = false;
};

int print_unloaded(const Context& context, const api::UnloadResult& result) {
    const auto print_ids = [&] {
        for (const auto& model : result.models) {
            print_name(context, model);
        }
    };
    if (context.format.kind == Format::Kind::quiet) {
        print_ids();
        return exit_ok;
    }
    return print_value(context, result, "", print_ids);
}

int unload_one(Context& context, const std::string& name) {
    const auto result = context.client.unload(name);
    if (!result) {
        return context.fail(result.error());
    }
    const int code = print_unloaded(context, *result);
    if (result->models.empty()) {
        context.note("'" + name + "' is not loaded");
        return worst(code, exit_inactive);
    }
    return code;
}

int run_unload(Context& context, const UnloadOptions& options) {
    if (options.all != options.names.empty()) {
        return context.fail(Error(Errc::invalid_request, "unload needs either names or --all"));
    }
    if (options.all) {
        const auto result = context.client.unload_all();
        return result ? print_unloaded(context, *result) : context.fail(result.error());
    }
    int code = exit_ok;
    for (const auto& name : options.names) {
        const int next = unload_one(context, name);
        code = worst(code, next);
        if (next == exit_unreachable || next == exit_interrupted) {
            break;
        }
    }
    return code;
}

}  // namespace

void add_unload(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("unload", "Stop models after their last request");
    command->alias("stop")->alias("eject");
    auto options = std::make_shared<UnloadOptions>();
    add_models(*command, options->names)->required(false);
    command->add_flag("--all", options->all, "every loaded model");
    set_action(*command, invocation, options, run_unload);
}

}  // namespace routerd::ctl
