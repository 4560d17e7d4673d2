#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

std::string counted(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string total_of(const api::PruneResult& result, bool dry_run) {
    auto text = std::string(dry_run ? "would remove " : "removed ") +
                counted(result.removed.size(), "file") + ", " + format_bytes(result.freed);
    return result.pulls.empty() ? text
                                : text + ", and " + (dry_run ? "forget " : "forgot ") +
                                      counted(result.pulls.size(), "download");
}

int run_prune(Context& context, const api::PruneRequest& request) {
    const auto result = context.client.prune(request);
    if (!result) {
        return context.fail(result.error());
    }
    const auto print_paths = [&] {
        for (const auto& file : result->removed) {
            print_name(context, file.path);
        }
    };
    if (context.format.kind == Format::Kind::quiet) {
        print_paths();
        return exit_ok;
    }
    const int code = print_value(context, *result, "", print_paths);
    if (context.format.is_for_people()) {
        context.note(total_of(*result, request.dry_run));
    }
    return code;
}

}  // namespace

void add_prune(CLI::App& root, Invocation& invocation) {
    auto* command =
        root.add_subcommand("prune", "Remove what is left of downloads that nobody goes on with");
    auto request = std::make_shared<api::PruneRequest>();
    command->add_flag("--dry-run", request->dry_run, "only say what would go");
    command->add_flag(
        "--all", request->all,
        "also downloads that failed or are paused, and the records of all that ended");
    set_action(*command, invocation, request, run_prune);
}

}  // namespace routerd::ctl
