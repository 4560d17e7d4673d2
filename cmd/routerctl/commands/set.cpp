#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct SetOptions {
    std::string name;
    std::vector<std::string> settings;
};

int run_set(Context& context, const SetOptions& options) {
    api::ModelChange change;
    for (const auto& setting : options.settings) {
        const auto equals = setting.find('=');
        if (equals == std::string::npos || equals == 0) {
            return context.fail(
                Error(Errc::invalid_request, "'" + setting + "' is not KEY=VALUE")
                    .with_hint("example: routerctl set " + options.name + " context=8192"));
        }
        change.set[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return for_each_model(context, {options.name}, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_set(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("set", "Change settings of a model and keep them");
    command->footer(
        "The keys are those of [model.\"NAME\"] in routerd.toml(5). A running model that was\n"
        "started with other settings is stopped after its last request.");
    auto options = std::make_shared<SetOptions>();
    add_model(*command, options->name);
    command->add_option("SETTING", options->settings, "KEY=VALUE, such as context=8192")
        ->type_name("SETTING")
        ->required();
    set_action(*command, invocation, options, run_set);
}

}  // namespace routerd::ctl
