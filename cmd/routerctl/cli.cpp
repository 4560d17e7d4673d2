#include "cmd/routerctl/cli.hpp"

#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/complete.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/manual.hpp"
#include "cmd/routerctl/usage_error.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 ok, 1 error, 2 usage, 3 not loaded or inactive, 4 not found, 5 refused,\n"
    "6 daemon unreachable, 130 interrupted.";

void add_globals(CLI::App& root, Globals& globals) {
    root.add_option("-H,--host", globals.host,
                    "the daemon: unix:///path or http://host:port; $ROUTERD_HOST says it too")
        ->type_name("ADDRESS");
    root.add_option("--format", globals.format,
                    "table, wide, json, or a template such as '{{.id}} {{.state}}'")
        ->type_name("FORMAT");
    root.add_flag("--json", globals.json, "the same as --format json");
    root.add_flag("-q,--quiet", globals.quiet, "ids only");
    root.add_flag("--no-trunc", globals.no_trunc, "do not shorten what is long");
    root.add_flag("--no-color", globals.no_color, "no colours; $NO_COLOR says it too");
    root.add_option("--timeout", globals.timeout, "give up after this time, such as 10s")
        ->type_name("DURATION");
}

std::string variable(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

Result<client::Options> client_options(const Globals& globals, const Environment& environment,
                                       const Interrupt& interrupt) {
    client::Options options;
    auto addresses = client::candidates(globals.host, environment);
    if (!addresses) {
        return addresses.error();
    }
    options.addresses = std::move(*addresses);
    options.stop_fd = interrupt.fd();
    options.api_key = variable(environment, "ROUTERD_API_KEY");
    if (!globals.timeout.empty()) {
        const auto timeout = parse_duration(globals.timeout);
        if (!timeout) {
            return timeout.error().within("--timeout");
        }
        options.timeout = *timeout;
    }
    return options;
}

Format format_of(const Globals& globals) {
    Format format = Format::parse(globals.json ? "json" : globals.format);
    if (globals.quiet) {
        format.kind = Format::Kind::quiet;
    }
    return format;
}

int run_action(const Invocation& invocation, Terminal& terminal, const Environment& environment,
               WallTime now) {
    const auto& globals = invocation.globals;
    Interrupt interrupt;
    auto options = client_options(globals, environment, interrupt);
    if (!options) {
        print_error(terminal.err, options.error());
        return exit_code(options.error().code());
    }
    const bool colors = !globals.no_color && variable(environment, "NO_COLOR").empty() &&
                        variable(environment, "TERM") != "dumb";
    const auto palette = [colors](bool is_tty) {
        return Palette(colors && is_tty ? Palette::Use::on : Palette::Use::off);
    };
    Context context{.terminal = terminal,
                    .client = client::Client(std::move(*options)),
                    .interrupt = interrupt,
                    .format = format_of(globals),
                    .colors = palette(terminal.out_is_tty),
                    .err_colors = palette(terminal.err_is_tty),
                    .no_trunc = globals.no_trunc,
                    .now = now,
                    .environment = environment};
    const int code = invocation.action(context);
    terminal.out << std::flush;
    if (!terminal.out && code == exit_ok) {
        print_error(terminal.err, Error(Errc::unavailable, "cannot write the output"));
        return exit_error;
    }
    return code;
}

}  // namespace

std::unique_ptr<CLI::App> make_cli(Invocation& invocation) {
    auto root = std::make_unique<CLI::App>("Control routerd, the router for local language models",
                                           "routerctl");
    root->fallthrough();
    root->require_subcommand(1);
    root->set_version_flag("--version", "routerctl " ROUTERD_VERSION);
    add_globals(*root, invocation.globals);
    add_all_commands(*root, invocation);
    root->footer(exit_codes);  // last, because commands inherit it
    return root;
}

int run_cli(const std::vector<std::string>& arguments, Terminal& terminal,
            const Environment& environment, WallTime now) {
    Invocation invocation;
    const auto root = make_cli(invocation);
    if (!arguments.empty() && arguments.front() == "__complete") {
        return complete(*root, {arguments.begin() + 1, arguments.end()}, terminal, environment);
    }
    if (!arguments.empty() && arguments.front() == "__man") {
        terminal.out << manual_page(*root) << std::flush;
        return exit_ok;
    }
    try {
        root->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::Success&) {  // --help or --version
        terminal.out << help_text(*root, arguments) << std::flush;
        return exit_ok;
    } catch (const CLI::ParseError& error) {
        print_error(terminal.err, usage_error(*root, error));
        return exit_usage;
    }
    return run_action(invocation, terminal, environment, now);
}

}  // namespace routerd::ctl
