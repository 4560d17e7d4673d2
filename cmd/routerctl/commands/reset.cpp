#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct ResetOptions {
    std::vector<std::string> names;
};

int run_reset(Context& context, const ResetOptions& options) {
    return for_each_model(context, options.names, [&context](const std::string& name) {
        return context.client.reset(name);
    });
}

}  // namespace

void add_reset(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "reset", "Forget the failures of models, so that they are tried again at once");
    auto options = std::make_shared<ResetOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_reset);
}

}  // namespace routerd::ctl
