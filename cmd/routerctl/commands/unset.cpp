#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct UnsetOptions {
    std::string name;
    std::vector<std::string> keys;
};

int run_unset(Context& context, const UnsetOptions& options) {
    api::ModelChange change;
    change.unset = options.keys;
    return for_each_model(context, {options.name}, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_unset(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("unset", "Take back settings of a model");
    auto options = std::make_shared<UnsetOptions>();
    add_model(*command, options->name);
    command->add_option("KEY", options->keys, "settings to take back")
        ->type_name("SETTING")
        ->required();
    set_action(*command, invocation, options, run_unset);
}

}  // namespace routerd::ctl
