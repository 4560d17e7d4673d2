#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

using Force = client::Client::Force;

struct RmOptions {
    std::vector<std::string> names;
    bool force = false;
};

int run_rm(Context& context, const RmOptions& options) {
    const auto remove = [&](const std::string& name) {
        auto gone = context.client.remove_model(name, options.force ? Force::yes : Force::no);
        if (gone && context.format.is_for_people()) {
            const auto files = gone->files.size();
            context.note("'" + gone->id + "': removed " + std::to_string(files) +
                         (files == 1 ? " file, " : " files, ") + format_bytes(gone->freed));
        }
        return gone;
    };
    return for_each_name<api::RemovedModel>(context, options.names, remove,
                                            [](const api::RemovedModel& gone) { return gone.id; });
}

}  // namespace

void add_rm(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("rm", "Delete the files of models");
    auto options = std::make_shared<RmOptions>();
    add_models(*command, options->names);
    command->add_flag("--force", options->force,
                      "also files outside the directory of downloads; a loaded model is unloaded");
    set_action(*command, invocation, options, run_rm);
}

}  // namespace routerd::ctl
