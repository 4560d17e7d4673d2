#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/completion_scripts.hpp"
#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

struct CompletionOptions {
    std::string shell;
};

int run_completion(Context& context, const CompletionOptions& options) {
    context.out() << (options.shell == "bash"  ? bash_completion()
                      : options.shell == "zsh" ? zsh_completion()
                                               : fish_completion());
    return exit_ok;
}

}  // namespace

void add_completion(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("completion", "Print the completion script for a shell");
    command->footer(
        "bash: source <(routerctl completion bash)\n"
        "zsh:  routerctl completion zsh > \"${fpath[1]}/_routerctl\"\n"
        "fish: routerctl completion fish > ~/.config/fish/completions/routerctl.fish");
    auto options = std::make_shared<CompletionOptions>();
    command->add_option("SHELL", options->shell, "the shell")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->required();
    set_action(*command, invocation, options, run_completion);
}

}  // namespace routerd::ctl
