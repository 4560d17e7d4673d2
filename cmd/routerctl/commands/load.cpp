#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct LoadOptions {
    std::vector<std::string> names;
    bool wait = false;
};

int run_load(Context& context, const LoadOptions& options) {
    const auto wait = options.wait ? client::Wait::until_done : client::Wait::no;
    return for_each_name<api::LoadResult>(
        context, options.names,
        [&](const std::string& name) { return context.client.load(name, wait); },
        [](const api::LoadResult& result) { return result.model; });
}

}  // namespace

void add_load(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("load", "Load models");
    auto options = std::make_shared<LoadOptions>();
    add_models(*command, options->names);
    command->add_flag("--wait", options->wait, "until they are ready to answer");
    set_action(*command, invocation, options, run_load);
}

}  // namespace routerd::ctl
