#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct DisableOptions {
    std::vector<std::string> names;
};

int run_disable(Context& context, const DisableOptions& options) {
    api::ModelChange change;
    change.set["enabled"] = "false";
    return for_each_model(context, options.names, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_disable(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("disable", "Hide models from clients and stop them");
    auto options = std::make_shared<DisableOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_disable);
}

}  // namespace routerd::ctl
