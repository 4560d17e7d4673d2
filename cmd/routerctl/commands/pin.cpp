#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct PinOptions {
    std::vector<std::string> names;
};

int run_pin(Context& context, const PinOptions& options) {
    return for_each_model(context, options.names,
                          [&context](const std::string& name) { return context.client.pin(name); });
}

}  // namespace

void add_pin(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "pin", "Keep models from being unloaded to make room or for being idle");
    auto options = std::make_shared<PinOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_pin);
}

}  // namespace routerd::ctl
