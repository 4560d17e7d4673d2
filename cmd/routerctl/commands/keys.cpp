#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct CreateOptions {
    api::KeyRequest request;
    std::string expires;
};

struct RevokeOptions {
    std::vector<std::string> names;
};

/// The key alone on stdout, for KEY=$(routerctl keys create NAME).
int run_create(Context& context, const CreateOptions& options) {
    auto request = options.request;
    if (!options.expires.empty()) {
        request.expires_in = options.expires;
    }
    const auto made = context.client.create_key(request);
    if (!made) {
        return context.fail(made.error());
    }
    const auto code =
        print_value(context, *made, made->key, [&] { context.out() << made->key << '\n'; });
    context.note("key '" + escaped(made->about.name) +
                 "' is shown this once; requests to a public address need a key from now on");
    return code;
}

std::string list_or(const std::vector<std::string>& list, const char* otherwise) {
    return list.empty() ? otherwise : join(list, ",");
}

int list_keys(Context& context) {
    const auto list = context.client.keys();
    if (!list) {
        return context.fail(list.error());
    }
    using Row = api::Key;
    Layout<Row> layout;
    layout.id = [](const Row& key) { return key.name; };
    const auto now = context.now;
    layout.columns = {
        {"NAME",
         [](const Row& key) { return Cell(key.name, key.expired ? Style::dim : Style::plain); }},
        {"ID", [](const Row& key) { return Cell(key.id); }},
        {"SCOPES", [](const Row& key) { return Cell(list_or(key.scopes, "")); }},
        {"MODELS", [](const Row& key) { return Cell(list_or(key.models, "all")); }},
        {"CREATED", [now](const Row& key) { return Cell(format_relative(key.created, now)); }},
        {"EXPIRES",
         [now](const Row& key) {
             return !key.expires ? Cell("never")
                    : key.expired
                        ? Cell("expired " + format_relative(*key.expires, now), Style::bad)
                        : Cell(format_relative(*key.expires, now));
         }},
    };
    return print_list(context, *list, layout);
}

int run_revoke(Context& context, const RevokeOptions& options) {
    const auto code = for_each_name<api::Key>(
        context, options.names,
        [&context](const std::string& name) { return context.client.revoke_key(name); },
        [](const api::Key& key) { return key.name; });
    const auto left = context.client.keys();
    if (code == exit_ok && left && left->items.empty()) {
        context.note(
            "no such key is left: without [auth] api_key, whoever is on this machine may "
            "use its loopback addresses");
    }
    return code;
}

}  // namespace

void add_keys(CLI::App& root, Invocation& invocation) {
    auto* keys = root.add_subcommand("keys", "Keys of clients: make, list, revoke");
    keys->require_subcommand(1);

    auto options = std::make_shared<CreateOptions>();
    auto* create = keys->add_subcommand("create", "Make a key and print it, this once");
    create->add_option("NAME", options->request.name, "what it is called in lists and logs")
        ->type_name("TEXT")
        ->required();
    create
        ->add_option("--scope", options->request.scopes,
                     "what it may: use models (the default), read what goes on, change things")
        ->check(CLI::IsMember({"inference", "read", "admin"}))
        ->allow_extra_args(false);
    create
        ->add_option("--model", options->request.models,
                     "only this model; may be given several times")
        ->type_name(model_word)
        ->allow_extra_args(false);
    create->add_option("--expires", options->expires, "for how long it is good, such as 30d")
        ->type_name("TIME");
    set_action(*create, invocation, options, run_create);

    auto* list = keys->add_subcommand("ls", "List the keys, without the keys themselves");
    set_action(*list, invocation, list_keys);

    auto doomed = std::make_shared<RevokeOptions>();
    auto* revoke = keys->add_subcommand("revoke", "End keys: their next request is refused");
    revoke->add_option("NAME", doomed->names, "keys, by name or id")
        ->type_name(key_word)
        ->required();
    set_action(*revoke, invocation, doomed, run_revoke);
}

}  // namespace routerd::ctl
