#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

int run_upgrade(Context& context) {
    const auto result = context.client.upgrade();
    if (!result) {
        return context.fail(result.error());
    }
    return print_value(context, *result, "", [&] {
        context.out() << "routerd " << escaped(result->version) << " (process " << result->pid
                      << ") has taken over from " << escaped(result->old_version) << " (process "
                      << result->old_pid << ")";
        if (result->requests > 0) {
            context.out() << ", which still answers " << result->requests
                          << (result->requests == 1 ? " request" : " requests");
        }
        context.out() << '\n';
    });
}

}  // namespace

void add_upgrade(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "upgrade", "Let the installed routerd take over from the running one, without a break");
    set_action(*command, invocation, run_upgrade);
}

}  // namespace routerd::ctl
