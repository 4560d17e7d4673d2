#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct EventsOptions {
    bool follow = false;
    client::EventQuery query;
};

std::string details_of(const api::Event& event) {
    std::vector<std::string> words;
    for (const auto& [name, value] : event.details) {
        words.push_back(name + "=" + shell_quote(value));
    }
    return join(words, " ");
}

void show_event(const Context& context, const api::Event& event) {
    const auto print = [&] {
        context.out() << format_rfc3339(event.time) << "  " << escaped(event.type) << "  "
                      << (event.model.empty() ? "-" : escaped(event.model)) << "  "
                      << escaped(event.message);
        if (context.format.kind == Format::Kind::wide && !event.details.empty()) {
            context.out() << "  " << escaped(details_of(event));
        }
        context.out() << '\n';
    };
    print_streamed(context, event, std::to_string(event.id), print);
}

int run_events(Context& context, const EventsOptions& options) {
    if (options.follow) {
        const auto followed =
            context.client.follow_events(options.query, [&context](const api::Event& event) {
                show_event(context, event);
                context.out() << std::flush;
            });
        return followed ? exit_ok : context.end_of_stream(followed.error());
    }
    const auto page = context.client.events(options.query);
    if (!page) {
        return context.fail(page.error());
    }
    if (context.format.kind == Format::Kind::json) {
        return print_list(context, *page, Layout<api::Event>{});
    }
    for (const auto& event : page->items) {
        show_event(context, event);
    }
    return exit_ok;
}

}  // namespace

void add_events(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("events", "Print what happened");
    auto options = std::make_shared<EventsOptions>();
    command->add_flag("-f,--follow", options->follow, "go on until Ctrl-C");
    command->add_option("-n,--limit", options->query.limit, "the last so many; 0: all")
        ->type_name("N");
    command->add_option("--model", options->query.model, "only about this model")
        ->type_name(model_word);
    command->add_option("--type", options->query.type, "only this type, such as instance.ready")
        ->type_name("TYPE");
    set_action(*command, invocation, options, run_events);
}

}  // namespace routerd::ctl
