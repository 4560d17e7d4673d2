#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/when.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct LogsOptions {
    std::string name;
    bool follow = false;
    std::uint64_t lines = 50;
    std::string since;
    std::string until;
    bool timestamps = false;
    bool daemon = false;
};

Result<client::LogQuery> query_of(const LogsOptions& options, WallTime now) {
    client::LogQuery query;
    query.model = options.name;
    query.lines = options.lines;
    if (!options.since.empty()) {
        const auto since = parse_when(options.since, now);
        if (!since) {
            return since.error().within("--since");
        }
        query.since = *since;
    }
    if (!options.until.empty()) {
        const auto until = parse_when(options.until, now);
        if (!until) {
            return until.error().within("--until");
        }
        query.until = *until;
    }
    return query;
}

void show_line(const Context& context, const api::LogLine& line, bool with_time) {
    const auto print = [&] {
        if (with_time) {
            context.out() << (line.time ? format_rfc3339(*line.time) : "-") << ' ';
        }
        context.out() << escaped(line.text) << '\n';
    };
    print_streamed(context, line, line.text, print);
}

int run_logs(Context& context, const LogsOptions& options) {
    if (options.name.empty() != options.daemon) {
        return context.fail(Error(Errc::invalid_request, "logs needs either a model or --daemon"));
    }
    const auto query = query_of(options, context.now);
    if (!query) {
        return context.fail(query.error());
    }
    if (options.follow) {
        const auto followed = context.client.follow_logs(*query, [&](const api::LogLine& line) {
            show_line(context, line, options.timestamps);
            context.out() << std::flush;
        });
        return followed ? exit_ok : context.end_of_stream(followed.error());
    }
    const auto page = context.client.logs(*query);
    if (!page) {
        return context.fail(page.error());
    }
    if (context.format.kind == Format::Kind::json) {
        return print_list(context, *page, Layout<api::LogLine>{});
    }
    for (const auto& line : page->items) {
        show_line(context, line, options.timestamps);
    }
    return exit_ok;
}

}  // namespace

void add_logs(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("logs", "Print what a model's server or the daemon said");
    auto options = std::make_shared<LogsOptions>();
    add_model(*command, options->name)->required(false);
    command->add_flag("-f,--follow", options->follow, "go on until Ctrl-C");
    command->add_option("-n,--lines", options->lines, "the last so many lines; 0: all")
        ->type_name("N");
    command->add_option("--since", options->since, "not before this time, or so long ago")
        ->type_name("TIME");
    command->add_option("--until", options->until, "not after this time, or so long ago")
        ->type_name("TIME");
    command->add_flag("-t,--timestamps", options->timestamps, "the time before each line");
    command->add_flag("--daemon", options->daemon, "the daemon's own log");
    set_action(*command, invocation, options, run_logs);
}

}  // namespace routerd::ctl
