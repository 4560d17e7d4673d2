#include "cmd/routerctl/usage_error.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

/// The innermost command that was named.
const CLI::App& deepest(const CLI::App& root) {
    const CLI::App* at = &root;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().back();
    }
    return *at;
}

std::string path_of(const CLI::App& command) {
    return command.get_parent() == nullptr
               ? command.get_name()
               : path_of(*command.get_parent()) + " " + command.get_name();
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
        const auto& aliases = command->get_aliases();
        names.insert(names.end(), aliases.begin(), aliases.end());
    }
    return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    if (app.get_parent() != nullptr) {
        const auto outer = option_names(*app.get_parent());
        names.insert(names.end(), outer.begin(), outer.end());
    }
    return names;
}

Error with_suggestion(const Error& error, const std::string& near, const std::string& path) {
    return near.empty() ? error.with_hint("see: " + path + " --help")
                        : error.with_hint("did you mean '" + near + "'?");
}

Error unexpected_word(const CLI::App& root) {
    const auto& command = deepest(root);
    const auto extras = root.remaining(true);
    const auto word = extras.empty() ? std::string() : extras.front();
    const auto path = path_of(command);
    if (word.starts_with('-')) {
        const auto name = word.substr(0, word.find('='));
        const Error error(Errc::invalid_request, "unknown option '" + name + "' of " + path);
        return with_suggestion(error, nearest(name, option_names(command)), path);
    }
    const auto commands = command_names(command);
    if (!commands.empty()) {
        const Error error(Errc::invalid_request, "unknown command '" + word + "' of " + path);
        return with_suggestion(error, nearest(word, commands), path);
    }
    const Error error(Errc::invalid_request, "too many arguments for " + path + ": '" + word + "'");
    return with_suggestion(error, "", path);
}

std::string lower_first(std::string text) {
    const bool word = text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a';
    if (word) {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    return text;
}

}  // namespace

Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
    const auto& command = deepest(root);
    const auto path = path_of(command);
    const auto commands = command_names(command);
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
        (!commands.empty() && !root.remaining(true).empty())) {
        return unexpected_word(root);
    }
    if (!commands.empty() &&
        error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError)) {
        return Error(Errc::invalid_request, path + " needs a command")
            .with_hint("one of: " + join(commands, ", "));
    }
    std::string what = error.what();
    if (what.ends_with(" is required")) {
        what = path + " needs " + what.substr(0, what.size() - 12);
    }
    return with_suggestion(Error(Errc::invalid_request, lower_first(what)), "", path);
}

std::string help_text(const CLI::App& root, const std::vector<std::string>& arguments) {
    if (std::find(arguments.begin(), arguments.end(), "--version") != arguments.end()) {
        return root.version() + "\n";
    }
    const auto& command = deepest(root);
    const auto path = path_of(command);
    return command.help(path.substr(0, path.rfind(' ') == std::string::npos ? 0 : path.rfind(' ')));
}

}  // namespace routerd::ctl
