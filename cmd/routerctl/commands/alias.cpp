#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct AliasOptions {
    std::string name;
    std::string alias;
    bool remove = false;
};

int run_alias(Context& context, const AliasOptions& options) {
    api::ModelChange change;
    (options.remove ? change.remove_aliases : change.add_aliases) = {options.alias};
    return for_each_model(context, {options.name}, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_alias(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("alias", "Give a model one more name");
    auto options = std::make_shared<AliasOptions>();
    add_model(*command, options->name);
    command->add_option("ALIAS", options->alias, "the name")->type_name("")->required();
    command->add_flag("--rm", options->remove, "take the name away again");
    set_action(*command, invocation, options, run_alias);
}

}  // namespace routerd::ctl
