#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct LogLevelOptions {
    std::string level;  ///< empty: show it
};

int run_log_level(Context& context, const LogLevelOptions& options) {
    const auto result = options.level.empty() ? context.client.log_level()
                                              : context.client.set_log_level({options.level});
    if (!result) {
        return context.fail(result.error());
    }
    return print_value(context, *result, "",
                       [&] { context.out() << escaped(result->level) << '\n'; });
}

}  // namespace

void add_log_level(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "log-level", "Show how much the daemon logs, or set it until its next reload or start");
    auto options = std::make_shared<LogLevelOptions>();
    command->add_option("LEVEL", options->level, "trace, debug, info, warn or error")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
    set_action(*command, invocation, options, run_log_level);
}

}  // namespace routerd::ctl
