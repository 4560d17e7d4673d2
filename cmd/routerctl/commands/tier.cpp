#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct TierOptions {
    std::string name;
    std::string tier;
};

int run_tier(Context& context, const TierOptions& options) {
    api::ModelChange change;
    if (options.tier == "auto") {
        change.unset = {"tier"};
    } else {
        change.set["tier"] = options.tier;
    }
    return for_each_model(context, {options.name}, [&](const std::string& name) {
        return context.client.change(name, change);
    });
}

}  // namespace

void add_tier(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("tier", "Say how powerful a model is");
    auto options = std::make_shared<TierOptions>();
    add_model(*command, options->name);
    command->add_option("TIER", options->tier, "auto: what its size and metadata say")
        ->check(CLI::IsMember({"fast", "balanced", "powerful", "auto"}))
        ->required();
    set_action(*command, invocation, options, run_tier);
}

}  // namespace routerd::ctl
