#include <algorithm>
#include <chrono>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/each.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

struct CancelOptions {
    std::vector<std::string> ids;
};

std::string age_of(const api::QueuedRequest& request, WallTime now) {
    using std::chrono::milliseconds;
    return format_duration(
        std::max(std::chrono::duration_cast<milliseconds>(now - request.since), milliseconds(0)));
}

std::string state_of(const api::QueuedRequest& request) {
    return request.progress_percent
               ? request.state + " " + std::to_string(*request.progress_percent) + "%"
               : request.state;
}

Layout<api::QueuedRequest> queue_layout(WallTime now) {
    using Row = api::QueuedRequest;
    using When = Column<Row>::When;
    Layout<Row> layout;
    layout.id = [](const Row& request) { return request.id; };
    layout.columns = {
        {"ID", [](const Row& r) { return Cell(r.id); }},
        {"MODEL", [](const Row& r) { return Cell(r.model); }},
        {"PRIORITY", [](const Row& r) { return Cell(r.priority); }},
        {"KEY", [](const Row& r) { return Cell(r.key.value_or("")); }},
        {"AGE", [now](const Row& r) { return Cell(age_of(r, now)); }},
        {"POSITION", [](const Row& r) { return Cell(std::to_string(r.position)); }},
        {"STATE", [](const Row& r) { return Cell(state_of(r), style_of_state(r.state)); }},
        {"DEADLINE",
         [now](const Row& r) { return Cell(r.deadline ? format_relative(*r.deadline, now) : ""); },
         When::wide},
        {"WAITS FOR", [](const Row& r) { return Cell(r.reason); }, When::wide},
    };
    return layout;
}

int list_queue(Context& context) {
    const auto list = context.client.queue();
    return list ? print_list(context, *list, queue_layout(context.now))
                : context.fail(list.error());
}

int run_cancel(Context& context, const CancelOptions& options) {
    return for_each_name<api::QueuedRequest>(
        context, options.ids,
        [&context](const std::string& id) { return context.client.cancel(id); },
        [](const api::QueuedRequest& request) { return request.id; });
}

}  // namespace

void add_queue(CLI::App& root, Invocation& invocation) {
    auto* queue = root.add_subcommand("queue", "List requests that wait, or cancel one");
    queue->require_subcommand(0, 1);
    set_action(*queue->add_subcommand("ls", "List requests that wait; the same as queue alone")
                    ->alias("list"),
               invocation, list_queue);
    auto options = std::make_shared<CancelOptions>();
    auto* cancel = queue->add_subcommand("cancel", "Refuse requests that wait");
    cancel->add_option("ID", options->ids, "requests, by their id in queue ls")
        ->type_name("")
        ->required();
    set_action(*cancel, invocation, options, run_cancel);
    queue->callback([queue, &invocation] {  // runs after that of a command below it
        if (queue->get_subcommands().empty()) {
            invocation.action = list_queue;
        }
    });
}

}  // namespace routerd::ctl
