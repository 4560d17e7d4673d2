#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/pull_view.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

struct PullIds {
    std::vector<std::string> ids;
    std::string token_file;
};

struct PullLimit {
    std::string id;
    std::string rate;
};

std::string id_of_pull(const api::Pull& pull) {
    return pull.id;
}

std::string done_of(const api::Pull& pull) {
    return pull.size ? std::to_string(percent_of(pull.done, *pull.size)) + "%"
                     : format_bytes(pull.done);
}

std::string speed_or_nothing(std::uint64_t rate) {
    return rate == 0 ? "" : format_bytes(rate) + "/s";
}

Layout<api::Pull> pulls_layout(WallTime now) {
    using Row = api::Pull;
    using When = Column<Row>::When;
    Layout<Row> layout;
    layout.id = id_of_pull;
    layout.columns = {
        {"ID", [](const Row& p) { return Cell(p.id); }},
        {"NAME", [](const Row& p) { return Cell(p.name); }},
        {"STATE", [](const Row& p) { return Cell(p.state, style_of_state(p.state)); }},
        {"DONE", [](const Row& p) { return Cell(done_of(p)); }},
        {"SIZE", [](const Row& p) { return Cell(p.size ? format_bytes(*p.size) : ""); }},
        {"RATE", [](const Row& p) { return Cell(speed_or_nothing(p.rate)); }},
        {"ETA", [](const Row& p) { return Cell(p.eta_seconds ? format_eta(*p.eta_seconds) : ""); }},
        {"CREATED", [now](const Row& p) { return Cell(format_relative(p.created, now)); }},
        {"FINISHED",
         [now](const Row& p) { return Cell(p.finished ? format_relative(*p.finished, now) : ""); },
         When::wide},
        {"FILES", [](const Row& p) { return Cell(std::to_string(p.files.size())); }, When::wide},
        {"CONNECTIONS", [](const Row& p) { return Cell(std::to_string(p.connections)); },
         When::wide},
        {"LIMIT", [](const Row& p) { return Cell(speed_or_nothing(p.limit_rate)); }, When::wide},
        {"REF", [](const Row& p) { return Cell(p.ref); }, When::wide},
        {"ERROR", [](const Row& p) { return Cell(p.error); }, When::wide},
    };
    return layout;
}

int list_pulls(Context& context) {
    const auto list = context.client.pulls();
    return list ? print_list(context, *list, pulls_layout(context.now))
                : context.fail(list.error());
}

int attach_pull(Context& context, const PullIds& options) {
    const auto pull = context.client.pull(options.ids.front());
    return pull ? follow_pull(context, *pull) : context.end_of_stream(pull.error());
}

int pause_pulls(Context& context, const PullIds& options) {
    return for_each_name<api::Pull>(
        context, options.ids,
        [&context](const std::string& id) { return context.client.pause_pull(id); }, id_of_pull);
}

int resume_pulls(Context& context, const PullIds& options) {
    api::PullChange change;
    if (!options.token_file.empty()) {
        auto token = read_token(context, options.token_file);
        if (!token) {
            return context.end_of_stream(token.error());
        }
        change.token = std::move(*token);
    }
    const auto resume = [&](const std::string& id) {
        return context.client.resume_pull(id, change);
    };
    return for_each_name<api::Pull>(context, options.ids, resume, id_of_pull);
}

int remove_pulls(Context& context, const PullIds& options) {
    return for_each_name<api::Pull>(
        context, options.ids,
        [&context](const std::string& id) { return context.client.remove_pull(id); }, id_of_pull);
}

int limit_pull(Context& context, const PullLimit& options) {
    api::PullChange change;
    change.limit_rate = options.rate;
    return for_each_name<api::Pull>(
        context, {options.id},
        [&](const std::string& id) { return context.client.change_pull(id, change); }, id_of_pull);
}

/// A command below `pulls` that takes ids.
CLI::App* add_for_ids(CLI::App& pulls, Invocation& invocation, const char* name, const char* about,
                      int (*run)(Context&, const PullIds&)) {
    auto options = std::make_shared<PullIds>();
    auto* command = pulls.add_subcommand(name, about);
    command->add_option("ID", options->ids, "pulls, by their id in pulls ls")
        ->type_name(pull_word)
        ->required();
    if (run == resume_pulls) {
        command
            ->add_option("--token-file", options->token_file,
                         "a file with another token for the origin; - is standard input")
            ->type_name(file_word);
    }
    set_action(*command, invocation, options, run);
    return command;
}

}  // namespace

void add_pulls(CLI::App& root, Invocation& invocation) {
    auto* pulls = root.add_subcommand("pulls", "List downloads, or change one");
    pulls->require_subcommand(0, 1);
    set_action(*pulls
                    ->add_subcommand("ls",
                                     "List downloads, also finished and failed ones; the "
                                     "same as pulls alone")
                    ->alias("list"),
               invocation, list_pulls);
    auto* attach =
        add_for_ids(*pulls, invocation, "attach", "Follow a download until it ends", attach_pull);
    attach->get_option("ID")->expected(1);
    add_for_ids(*pulls, invocation, "pause", "Stop downloads and keep what came", pause_pulls);
    add_for_ids(*pulls, invocation, "resume", "Go on with downloads that are paused or failed",
                resume_pulls);
    add_for_ids(*pulls, invocation, "rm",
                "Cancel downloads and remove what came; of finished ones only the record",
                remove_pulls);
    auto limit = std::make_shared<PullLimit>();
    auto* command = pulls->add_subcommand("limit", "Change how fast a download may be");
    command->add_option("ID", limit->id, "a pull, by its id in pulls ls")
        ->type_name(pull_word)
        ->required();
    command->add_option("RATE", limit->rate, "bytes a second, such as 20M; 0: no limit of its own")
        ->type_name("RATE")
        ->required();
    set_action(*command, invocation, limit, limit_pull);
    pulls->callback([pulls, &invocation] {  // runs after that of a command below it
        if (pulls->get_subcommands().empty()) {
            invocation.action = list_pulls;
        }
    });
}

}  // namespace routerd::ctl
