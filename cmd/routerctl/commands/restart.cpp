#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct RestartOptions {
    std::vector<std::string> names;
};

int run_restart(Context& context, const RestartOptions& options) {
    return for_each_name<api::LoadResult>(
        context, options.names,
        [&context](const std::string& name) { return context.client.restart(name); },
        [](const api::LoadResult& result) { return result.model; });
}

}  // namespace

void add_restart(CLI::App& root, Invocation& invocation) {
    auto* command =
        root.add_subcommand("restart", "Stop models after their last request and load them again");
    auto options = std::make_shared<RestartOptions>();
    add_models(*command, options->names);
    set_action(*command, invocation, options, run_restart);
}

}  // namespace routerd::ctl
