#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct WhyOptions {
    std::string name;
};

std::string details_of(const api::Decision& decision) {
    std::vector<std::string> words;
    for (const auto& [name, value] : decision.details) {
        words.push_back(name + "=" + shell_quote(value));
    }
    return join(words, " ");
}

Layout<api::Decision> decision_layout(WallTime now) {
    using Row = api::Decision;
    using When = Column<Row>::When;
    Layout<Row> layout;
    layout.id = [](const Row& decision) { return std::to_string(decision.id); };
    layout.columns = {
        {"WHEN", [now](const Row& d) { return Cell(format_relative(d.time, now)); }},
        {"TIME", [](const Row& d) { return Cell(format_rfc3339(d.time)); }, When::wide},
        {"MODEL", [](const Row& d) { return Cell(d.model); }},
        {"REQUEST", [](const Row& d) { return Cell(d.request.value_or("")); }, When::wide},
        {"DECISION", [](const Row& d) { return Cell(d.type); }},
        {"REASON", [](const Row& d) { return Cell(d.message); }},
        {"DETAILS", [](const Row& d) { return Cell(details_of(d)); }, When::wide},
    };
    return layout;
}

int run_why(Context& context, const WhyOptions& options) {
    const auto list = context.client.explain(options.name);
    if (!list) {
        return context.fail(list.error());
    }
    if (list->items.empty()) {
        context.note("nothing was decided about '" + options.name + "' since the daemon's start");
    }
    context.no_trunc = true;  // half a reason explains nothing
    return print_list(context, *list, decision_layout(context.now));
}

}  // namespace

void add_why(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "why", "Print the decisions about a model or a request, each with its reason");
    auto options = std::make_shared<WhyOptions>();
    command
        ->add_option("NAME", options->name,
                     "a model, by id or alias, or a request, by the x-request-id of its answer")
        ->type_name(model_word)
        ->required();
    set_action(*command, invocation, options, run_why);
}

}  // namespace routerd::ctl
