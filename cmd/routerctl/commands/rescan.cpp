#include <filesystem>
#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct RescanOptions {
    std::string dir;
};

void show_result(const Context& context, const api::RescanResult& result) {
    context.out() << result.found << (result.found == 1 ? " model" : " models") << " found, "
                  << result.added << " added, " << result.removed << " removed, "
                  << result.broken.size() << " broken\n";
    for (const auto& file : result.broken) {
        context.out() << "broken: " << escaped(file.path) << ": " << escaped(file.reason) << '\n';
    }
}

int run_rescan(Context& context, const RescanOptions& options) {
    std::error_code ignored;
    const auto dir = options.dir.empty() ? std::filesystem::path()
                                         : std::filesystem::absolute(options.dir, ignored);
    const auto result = context.client.rescan(dir.lexically_normal().string());
    if (!result) {
        return context.fail(result.error());
    }
    return print_value(context, *result, "", [&] { show_result(context, *result); });
}

}  // namespace

void add_rescan(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("rescan", "Look for models on disk again");
    auto options = std::make_shared<RescanOptions>();
    command->add_option("--dir", options->dir, "only in this directory")->type_name(folder_word);
    set_action(*command, invocation, options, run_rescan);
}

}  // namespace routerd::ctl
