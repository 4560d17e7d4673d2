#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct EnableOptions {
    std::vector<std::string> names;
};

int run_enable(Context& context, const EnableOptions& options) {
    api::ModelChange change;
    change.set["enabled"] = "true";
    return for_each_model(context, options.names, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_enable(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("enable", "Offer models to clients");
    auto options = std::make_shared<EnableOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_enable);
}

}  // namespace routerd::ctl
