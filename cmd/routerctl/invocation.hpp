#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cmd/routerctl/context.hpp"

namespace routerd::ctl {

/// The options that every command takes.
struct Globals {
    std::string host;
    std::string format;
    bool json = false;
    bool quiet = false;
    bool no_trunc = false;
    bool no_color = false;
    std::string timeout;
};

/// What the command line asks for; filled in while it is parsed.
struct Invocation {
    Globals globals;
    std::function<int(Context&)> action;
};

/// Makes `run` what `command` does, with the options that its add_… function bound.
template <class Options>
void set_action(CLI::App& command, Invocation& invocation, const std::shared_ptr<Options>& options,
                int (*run)(Context&, const Options&)) {
    command.callback([&invocation, options, run] {
        invocation.action = [options, run](Context& context) { return run(context, *options); };
    });
}

/// The same for a command without options of its own.
inline void set_action(CLI::App& command, Invocation& invocation, int (*run)(Context&)) {
    command.callback([&invocation, run] { invocation.action = run; });
}

// What an argument stands for; completion looks at these words.
constexpr const char* model_word = "MODEL";
constexpr const char* profile_word = "PROFILE";
constexpr const char* key_word = "KEY";
constexpr const char* pull_word = "PULL";
constexpr const char* file_word = "FILE";
constexpr const char* folder_word = "DIR";

/// One or several model names.
inline CLI::Option* add_models(CLI::App& command, std::vector<std::string>& names) {
    return command.add_option("NAME", names, "models, by id or alias")
        ->type_name(model_word)
        ->required();
}

inline CLI::Option* add_model(CLI::App& command, std::string& name) {
    return command.add_option("NAME", name, "a model, by id or alias")
        ->type_name(model_word)
        ->required();
}

}  // namespace routerd::ctl
