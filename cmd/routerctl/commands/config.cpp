#include <filesystem>
#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/config/load.hpp"

namespace routerd::ctl {
namespace {

struct CheckOptions {
    std::string file;
    bool user = false;
};

/// Without a daemon: this is for before it starts, and for a new file.
int run_check(Context& context, const CheckOptions& options) {
    LoadOptions load;
    load.user = options.user;
    load.environment = context.environment;
    if (!options.file.empty()) {
        std::error_code ignored;
        load.file = std::filesystem::absolute(options.file, ignored).string();
    }
    const auto loaded = load_config(load);
    for (const auto& note : loaded.notes) {
        context.note(note);
    }
    for (const auto& problem : loaded.problems) {
        context.terminal.err << "routerctl: " << escaped(to_text(problem)) << '\n';
    }
    if (!loaded.usable()) {
        return exit_error;
    }
    api::ConfigList list;
    for (const auto& value : loaded.values) {
        list.items.push_back({value.key, value.value, value.origin});
    }
    return print_value(context, list, "", [&] {
        context.out() << (loaded.files.empty() ? "no file; the defaults are"
                                               : escaped(join(loaded.files, ", ")) + ":")
                      << " ok\n";
    });
}

int run_show_config(Context& context) {
    const auto list = context.client.config();
    if (!list) {
        return context.fail(list.error());
    }
    using Entry = api::ConfigEntry;
    Layout<Entry> layout;
    layout.id = [](const Entry& entry) { return entry.key; };
    layout.columns = {
        {"KEY", [](const Entry& entry) { return Cell(entry.key); }},
        {"VALUE", [](const Entry& entry) { return Cell(entry.value); }},
        {"ORIGIN",
         [](const Entry& entry) {
             return Cell(entry.origin, entry.origin == "default" ? Style::dim : Style::plain);
         }},
    };
    return print_list(context, *list, layout);
}

int run_reload(Context& context) {
    const auto result = context.client.reload_config();
    if (!result) {
        return context.fail(result.error());
    }
    return print_value(context, *result, "", [&] {
        for (const auto& key : result->changed) {
            context.out() << "changed: " << escaped(key) << '\n';
        }
        for (const auto& key : result->restart_required) {
            context.out() << "needs a restart of routerd: " << escaped(key) << '\n';
        }
        if (result->changed.empty() && result->restart_required.empty()) {
            context.out() << "nothing changed\n";
        }
    });
}

}  // namespace

void add_config(CLI::App& root, Invocation& invocation) {
    auto* config = root.add_subcommand("config", "Check, show or reload the configuration");
    config->require_subcommand(1);

    auto options = std::make_shared<CheckOptions>();
    auto* check = config->add_subcommand("check", "Check the configuration; needs no daemon");
    check->add_option("FILE", options->file, "this file alone")->type_name(file_word);
    check->add_flag("--user", options->user, "that of your own daemon");
    set_action(*check, invocation, options, run_check);

    auto* show = config->add_subcommand("show", "Show every value and where it comes from");
    set_action(*show, invocation, run_show_config);

    auto* reload = config->add_subcommand("reload", "Make the daemon read its files again");
    set_action(*reload, invocation, run_reload);
}

}  // namespace routerd::ctl
