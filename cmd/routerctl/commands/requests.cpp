#include <algorithm>
#include <cmath>
#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

using RequestRow = api::RequestEntry;

struct RequestsOptions {
    client::RequestsQuery query;
    std::string slow;
    bool follow = false;
};

std::string tokens_of(const RequestRow& request) {
    if (!request.prompt_tokens && !request.completion_tokens) {
        return "";
    }
    const auto text = [](const auto& count) { return count ? std::to_string(*count) : "?"; };
    return text(request.prompt_tokens) + "+" + text(request.completion_tokens);
}

std::string rate_of(const RequestRow& request) {
    if (!request.tokens_per_second) {
        return "";
    }
    constexpr double shown_in_full = 1e9;
    const auto tenths = std::clamp(*request.tokens_per_second, 0.0, shown_in_full) * 10;
    const auto rounded = std::llround(tenths);
    return std::to_string(rounded / 10) + "." + std::to_string(rounded % 10) + "/s";
}

Style style_of_status(unsigned status) {
    constexpr unsigned client_left = 499;
    if (status < 400) {
        return Style::good;
    }
    return status < 500 ? (status == client_left ? Style::dim : Style::busy) : Style::bad;
}

Layout<RequestRow> requests_layout(WallTime now) {
    using When = Column<RequestRow>::When;
    Layout<RequestRow> layout;
    layout.id = [](const RequestRow& request) { return request.request; };
    layout.columns = {
        {"WHEN", [now](const RequestRow& r) { return Cell(format_relative(r.started, now)); }},
        {"TIME", [](const RequestRow& r) { return Cell(format_rfc3339(r.started)); }, When::wide},
        {"REQUEST", [](const RequestRow& r) { return Cell(r.request); }},
        {"MODEL", [](const RequestRow& r) { return Cell(r.model.value_or("")); }},
        {"ENDPOINT", [](const RequestRow& r) { return Cell(r.endpoint); }, When::wide},
        {"STATUS",
         [](const RequestRow& r) {
             return Cell(std::to_string(r.status), style_of_status(r.status));
         }},
        {"TOKENS", [](const RequestRow& r) { return Cell(tokens_of(r)); }},
        {"RATE", [](const RequestRow& r) { return Cell(rate_of(r)); }, When::wide},
        {"BYTES", [](const RequestRow& r) { return Cell(format_bytes(r.bytes)); }, When::wide},
        {"STREAM", [](const RequestRow& r) { return Cell(r.stream ? "yes" : "no"); }, When::wide},
        {"QUEUED", [](const RequestRow& r) { return Cell(format_duration(r.queued_ms)); }},
        {"LOAD", [](const RequestRow& r) { return Cell(format_duration(r.loaded_ms)); },
         When::wide},
        {"FIRST",
         [](const RequestRow& r) {
             return Cell(r.first_byte_ms ? format_duration(*r.first_byte_ms) : "");
         }},
        {"TOOK", [](const RequestRow& r) { return Cell(format_duration(r.took_ms)); }},
        {"ERROR", [](const RequestRow& r) { return Cell(r.error.value_or("")); }},
    };
    return layout;
}

/// One line of what is followed: its columns cannot be aligned with those to come.
void show_request(const Context& context, const RequestRow& request) {
    const auto print = [&] {
        context.out() << format_rfc3339(request.started) << "  " << escaped(request.request) << "  "
                      << escaped(request.model.value_or("-")) << "  "
                      << context.colors.paint(std::to_string(request.status),
                                              style_of_status(request.status))
                      << "  " << format_duration(request.took_ms);
        if (request.error) {
            context.out() << "  " << escaped(*request.error);
        }
        context.out() << '\n';
    };
    print_streamed(context, request, request.request, print);
    context.out() << std::flush;
}

int run_requests(Context& context, const RequestsOptions& options) {
    auto query = options.query;
    if (!options.slow.empty()) {
        const auto slow = parse_duration(options.slow);
        if (!slow) {
            return context.fail(slow.error().within("--slow"));
        }
        query.slow = *slow;
    }
    if (options.follow) {
        const auto followed = context.client.follow_requests(
            query, [&context](const RequestRow& request) { show_request(context, request); });
        return followed ? exit_ok : context.end_of_stream(followed.error());
    }
    const auto list = context.client.requests(query);
    return list ? print_list(context, *list, requests_layout(context.now))
                : context.fail(list.error());
}

}  // namespace

void add_requests(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("requests", "List requests that were answered");
    auto options = std::make_shared<RequestsOptions>();
    command->add_flag("-f,--follow", options->follow, "go on until Ctrl-C");
    command->add_option("-n,--limit", options->query.limit, "the newest so many; 0: 1000")
        ->type_name("N");
    command->add_option("--model", options->query.model, "only of this model")
        ->type_name(model_word);
    command->add_option("--slow", options->slow, "only those that took so long, such as 5s")
        ->type_name("TIME");
    command->add_flag("--failed", options->query.failed, "only those that failed");
    set_action(*command, invocation, options, run_requests);
}

}  // namespace routerd::ctl
