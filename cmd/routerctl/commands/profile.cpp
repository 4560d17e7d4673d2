#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/editor.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/profile_file.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

/// What flags say about a profile; what they do not name stays as it is.
struct ProfileFlags {
    std::string description;
    std::vector<std::string> enabled;
    std::vector<std::string> preload;
    std::string default_model;
    std::vector<std::string> settings;  ///< MODEL:KEY=VALUE

    bool any() const {
        return !description.empty() || !enabled.empty() || !preload.empty() ||
               !default_model.empty() || !settings.empty();
    }
};

struct ChangeOptions {
    std::string name;
    std::string from_file;
    ProfileFlags flags;
};

struct NameOptions {
    std::vector<std::string> names;
};

struct UseOptions {
    std::string name;
    bool none = false;
};

std::string name_of(const api::Profile& profile) {
    return profile.name;
}

Result<void> apply(const ProfileFlags& flags, api::Profile& profile) {
    if (!flags.description.empty()) {
        profile.description = flags.description;
    }
    if (!flags.enabled.empty()) {
        profile.enabled_models = flags.enabled;
    }
    if (!flags.preload.empty()) {
        profile.preload = flags.preload;
    }
    if (!flags.default_model.empty()) {
        profile.default_model = flags.default_model;
    }
    for (const auto& setting : flags.settings) {
        const auto equals = setting.find('=');
        const auto colon = setting.rfind(':', equals);  // aliases have colons too
        if (equals == std::string::npos || colon == std::string::npos || colon == 0) {
            return Error(Errc::invalid_request, "--set '" + setting + "' is not MODEL:KEY=VALUE");
        }
        profile.overrides[setting.substr(0, colon)][setting.substr(colon + 1, equals - colon - 1)] =
            setting.substr(equals + 1);
    }
    return {};
}

int show_result(const Context& context, const Result<api::Profile>& profile) {
    if (!profile) {
        return context.fail(profile.error());
    }
    return print_value(context, *profile, profile->name,
                       [&] { print_name(context, profile->name); });
}

/// `base` changed by the file and the flags.
Result<api::Profile> changed(const ChangeOptions& options, api::Profile base) {
    if (!options.from_file.empty()) {
        const auto text = read_file(options.from_file);
        if (!text) {
            return text.error();
        }
        auto parsed = parse_profile(*text, options.from_file);
        if (!parsed) {
            return parsed.error();
        }
        base = std::move(*parsed);
    }
    base.name = options.name;
    const auto applied = apply(options.flags, base);
    if (!applied) {
        return applied.error();
    }
    return base;
}

int run_create(Context& context, const ChangeOptions& options) {
    const auto profile = changed(options, api::Profile{});
    if (!profile) {
        return context.fail(profile.error());
    }
    return show_result(context, context.client.create_profile(*profile));
}

/// With a file or flags changes what they name, else opens an editor.
int run_edit(Context& context, const ChangeOptions& options) {
    const auto before = context.client.profile(options.name);
    if (!before) {
        return context.fail(before.error());
    }
    if (options.flags.any() || !options.from_file.empty()) {
        const auto profile = changed(options, *before);
        return profile ? show_result(context, context.client.replace_profile(*profile))
                       : context.fail(profile.error());
    }
    const auto text = render_profile(*before);
    const auto edited = edit_text(text, context.environment);
    if (!edited) {
        return context.fail(edited.error());
    }
    if (*edited == text) {
        context.note("nothing was changed");
        return exit_ok;
    }
    auto profile = parse_profile(*edited, options.name);
    if (!profile) {
        return context.fail(profile.error());
    }
    profile->name = before->name;
    return show_result(context, context.client.replace_profile(*profile));
}

int list_profiles(Context& context) {
    const auto list = context.client.profiles("");
    if (!list) {
        return context.fail(list.error());
    }
    using Row = api::Profile;
    Layout<Row> layout;
    layout.id = name_of;
    layout.columns = {
        {"NAME", [](const Row& p) { return Cell(p.name, p.active ? Style::good : Style::plain); }},
        {"ACTIVE", [](const Row& p) { return Cell(p.active ? "yes" : "no"); }},
        {"MODELS",
         [](const Row& p) {
             return Cell(p.enabled_models ? std::to_string(p.enabled_models->size()) : "all");
         }},
        {"OVERRIDES", [](const Row& p) { return Cell(std::to_string(p.overrides.size())); }},
        {"DEFAULT", [](const Row& p) { return Cell(p.default_model.value_or("")); }},
        {"DESCRIPTION", [](const Row& p) { return Cell(p.description); }},
    };
    return print_list(context, *list, layout);
}

int run_show_profile(Context& context, const NameOptions& options) {
    const auto profile = context.client.profile(options.names.front());
    if (!profile) {
        return context.fail(profile.error());
    }
    return print_value(context, *profile, profile->name, [&] {
        context.out() << "# " << escaped(profile->name) << (profile->active ? " (active)" : "")
                      << '\n';
        const auto text = render_profile(*profile);
        for (const auto line : split(trim(text), '\n')) {
            context.out() << escaped(line) << '\n';
        }
    });
}

int run_remove(Context& context, const NameOptions& options) {
    return for_each_name<api::Profile>(
        context, options.names,
        [&context](const std::string& name) { return context.client.remove_profile(name); },
        name_of);
}

int leave_active(Context& context) {
    const auto list = context.client.profiles("");
    if (!list) {
        return context.fail(list.error());
    }
    for (const auto& profile : list->items) {
        if (profile.active) {
            return show_result(context, context.client.leave_profile(profile.name));
        }
    }
    context.note("no profile is active");
    return exit_inactive;
}

int run_use(Context& context, const UseOptions& options) {
    if (options.none != options.name.empty()) {
        return context.fail(
            Error(Errc::invalid_request, "profile use needs either a name or --none"));
    }
    return options.none ? leave_active(context)
                        : show_result(context, context.client.use_profile(options.name));
}

void add_change(CLI::App& command, ChangeOptions& options) {
    command.add_option("NAME", options.name, "the profile")->type_name(profile_word)->required();
    command.add_option("--from-file", options.from_file, "a TOML file that says what is in it")
        ->type_name(file_word);
    command.add_option("--description", options.flags.description, "what it is for")
        ->type_name("TEXT");
    command.add_option("--enable", options.flags.enabled, "enable these models and no others")
        ->type_name(model_word);
    command.add_option("--preload", options.flags.preload, "load these models with it")
        ->type_name(model_word);
    command.add_option("--default", options.flags.default_model, "its default model")
        ->type_name(model_word);
    command.add_option("--set", options.flags.settings, "a setting of a model under it")
        ->type_name("MODEL:KEY=VALUE");
}

}  // namespace

void add_profile(CLI::App& root, Invocation& invocation) {
    auto* profile = root.add_subcommand("profile", "Named sets of models and settings");
    profile->require_subcommand(1);
    const auto add_names = [](CLI::App& command, NameOptions& options) {
        return command.add_option("NAME", options.names, "profiles")
            ->type_name(profile_word)
            ->required();
    };
    set_action(*profile->add_subcommand("ls", "List profiles")->alias("list"), invocation,
               list_profiles);

    auto shown = std::make_shared<NameOptions>();
    auto* show = profile->add_subcommand("show", "Show one profile as TOML");
    add_names(*show, *shown)->expected(1);
    set_action(*show, invocation, shown, run_show_profile);

    auto created = std::make_shared<ChangeOptions>();
    auto* create = profile->add_subcommand("create", "Create a profile");
    add_change(*create, *created);
    set_action(*create, invocation, created, run_create);

    auto edited = std::make_shared<ChangeOptions>();
    auto* edit = profile->add_subcommand("edit", "Change a profile, in an editor or by options");
    add_change(*edit, *edited);
    set_action(*edit, invocation, edited, run_edit);

    auto removed = std::make_shared<NameOptions>();
    auto* remove = profile->add_subcommand("rm", "Remove profiles");
    add_names(*remove, *removed);
    set_action(*remove, invocation, removed, run_remove);

    auto used = std::make_shared<UseOptions>();
    auto* use = profile->add_subcommand("use", "Put a profile into force as one change");
    use->add_option("NAME", used->name, "the profile")->type_name(profile_word);
    use->add_flag("--none", used->none, "put the active one out of force");
    set_action(*use, invocation, used, run_use);
}

}  // namespace routerd::ctl
