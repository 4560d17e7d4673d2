#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct UnpinOptions {
    std::vector<std::string> names;
};

int run_unpin(Context& context, const UnpinOptions& options) {
    return for_each_model(context, options.names, [&context](const std::string& name) {
        return context.client.unpin(name);
    });
}

}  // namespace

void add_unpin(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("unpin", "Let models be unloaded again");
    auto options = std::make_shared<UnpinOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_unpin);
}

}  // namespace routerd::ctl
