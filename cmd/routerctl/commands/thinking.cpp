#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct ThinkingOptions {
    std::string name;
    std::string mode;
};

int run_thinking(Context& context, const ThinkingOptions& options) {
    api::ModelChange change;
    if (options.mode == "auto") {
        change.unset = {"thinking"};
    } else {
        change.set["thinking"] = options.mode == "on" ? "true" : "false";
    }
    return for_each_model(context, {options.name}, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_thinking(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("thinking", "Say whether a model thinks before it answers");
    auto options = std::make_shared<ThinkingOptions>();
    add_model(*command, options->name);
    command->add_option("MODE", options->mode, "auto: what its chat template says")
        ->check(CLI::IsMember({"on", "off", "auto"}))
        ->required();
    set_action(*command, invocation, options, run_thinking);
}

}  // namespace routerd::ctl
