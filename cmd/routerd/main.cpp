#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cmd/routerd/huge_code.hpp"
#include "cmd/routerd/tuning.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/config/load.hpp"
#include "daemon/app/app.hpp"
#include "daemon/app/certificate.hpp"
#include "daemon/catalog/inspect.hpp"
#include "daemon/telemetry/logging.hpp"

namespace routerd {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct Arguments {
    LoadOptions load;
    std::string config_file;
    std::vector<std::string> set;
    std::string gguf;
    bool check = false;
    bool foreground = false;
    bool insecure_no_auth = false;
};

void add_options(CLI::App& cli, Arguments& arguments) {
    cli.description("Runs every language model on this machine behind one address.");
    cli.add_option("--config", arguments.config_file, "read this file instead of the usual ones")
        ->type_name("FILE");
    cli.add_flag("--user", arguments.load.user, "a user's own daemon: XDG directories");
    cli.add_option("--set", arguments.set, "one setting, over all files: section.key=value")
        ->type_name("KEY=VALUE");
    cli.add_flag("--check", arguments.check,
                 "print the effective configuration, with the origin of each value, and exit");
    cli.add_flag("--foreground", arguments.foreground,
                 "accepted for habit's sake: routerd always stays in the foreground");
    cli.add_flag("--insecure-no-auth", arguments.insecure_no_auth,
                 "listen beyond loopback although no key is configured");
    cli.add_option("--gguf-dump", arguments.gguf,
                   "print what a model file says of itself, and exit")
        ->type_name("FILE");
    cli.set_version_flag("--version", std::string("routerd ") + ROUTERD_VERSION);
}

/// False when one of --set's texts has no '='.
bool take_overrides(Arguments& arguments) {
    for (const auto& text : arguments.set) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            std::cerr << "routerd: --set " << text << ": expected section.key=value\n";
            return false;
        }
        arguments.load.overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return true;
}

void print_error(const Error& error) {
    std::cerr << "routerd: " << escaped(error.message()) << '\n';
    if (!error.hint().empty()) {
        std::cerr << "hint: " << escaped(error.hint()) << '\n';
    }
}

int print_problems(const LoadedConfig& loaded) {
    for (const auto& problem : loaded.problems) {
        std::cerr << "routerd: " << to_text(problem) << '\n';
    }
    return exit_failed;
}

int check(const LoadedConfig& loaded) {
    const auto certificate = load_certificate(loaded.config.http);
    if (!certificate) {
        print_error(certificate.error());
        return exit_failed;
    }
    for (const auto& value : loaded.values) {
        std::cout << value.key << " = " << value.value << "  # " << value.origin << '\n';
    }
    for (const auto& note : loaded.notes) {
        std::cerr << "note: " << note << '\n';
    }
    return exit_ok;
}

int dump(const std::string& path) {
    const auto text = inspect_file(path);
    if (!text) {
        print_error(text.error());
        return exit_failed;
    }
    std::cout << text->dump(2) << '\n';
    return exit_ok;
}

/// The routerd that started this one to take over; nullptr: none did.
std::unique_ptr<Predecessor> find_predecessor() {
    auto link = take_link();
    return link ? std::make_unique<Predecessor>(std::move(link)) : nullptr;
}

/// How this process was started. Empty path: its file is gone already.
Program program_of(int argc, char** argv) {
    std::error_code gone;
    Program program;
    program.path = std::filesystem::read_symlink("/proc/self/exe", gone).string();
    program.argv.assign(argv, argv + argc);
    return program;
}

int serve(Arguments& arguments, Program program) {
    if (arguments.insecure_no_auth) {  // at each reload too
        arguments.load.overrides.emplace_back("http.insecure_no_auth", "true");
    }
    auto predecessor = find_predecessor();
    arguments.load.environment = process_environment();
    auto loaded = load_config(arguments.load);
    if (!loaded.usable()) {
        if (predecessor) {
            predecessor->refuse(Error(Errc::invalid_request, to_text(loaded.problems.front())));
        }
        return print_problems(loaded);
    }
    if (arguments.check) {
        return check(loaded);
    }
    loaded.config.http.insecure_no_auth = arguments.insecure_no_auth;
    const auto logs = set_up_logging(loaded.config.log);
    if (!logs) {
        print_error(logs.error());
        if (predecessor) {
            predecessor->refuse(logs.error());
        }
        return exit_failed;
    }
    raise_file_limit();
    move_code_to_huge_pages();
    for (const auto& note : loaded.notes) {
        spdlog::warn("{}", note);
    }
    auto app =
        App::build(std::move(loaded), arguments.load, std::move(program), std::move(predecessor));
    if (!app) {
        print_error(app.error());
        return exit_failed;
    }
    const auto ran = (*app)->run();
    if (!ran) {
        print_error(ran.error());
        return exit_failed;
    }
    return exit_ok;
}

int run(int argc, char** argv) {
    CLI::App cli;
    Arguments arguments;
    add_options(cli, arguments);
    try {
        cli.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << cli.help();
        return exit_ok;
    } catch (const CLI::CallForVersion&) {
        std::cout << cli.version() << '\n';
        return exit_ok;
    } catch (const CLI::ParseError& e) {
        std::cerr << "routerd: " << e.what() << "\nhint: routerd --help\n";
        return exit_usage;
    }
    if (!take_overrides(arguments)) {
        return exit_usage;
    }
    if (!arguments.gguf.empty()) {
        return dump(arguments.gguf);
    }
    if (!arguments.config_file.empty()) {
        arguments.load.file = arguments.config_file;
    }
    if (!arguments.check) {
        keep_blocks_at_hand(argv);
    }
    return serve(arguments, program_of(argc, argv));
}

}  // namespace
}  // namespace routerd

int main(int argc, char** argv) {
    routerd::keep_heap_grown();
    try {
        return routerd::run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "routerd: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
