#include "daemon/backends/llama_server/llama_server.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/backends/llama_server/arguments.hpp"
#include "daemon/backends/llama_server/device_list.hpp"
#include "daemon/backends/llama_server/launch.hpp"
#include "daemon/backends/llama_server/memory_lines.hpp"
#include "daemon/backends/program.hpp"
#include "daemon/devices/processor.hpp"

namespace routerd {
namespace {

/// The text after "0.00.013.796 E "; the level letter in `level`, 0 when the line has none.
std::string_view without_prefix(std::string_view line, char& level) {
    level = 0;
    const auto space = line.find(' ');
    const auto stamp = line.substr(0, space);
    const bool has_stamp = space != std::string_view::npos && !stamp.empty() &&
                           std::ranges::all_of(stamp, [](unsigned char c) {
                               return std::isdigit(c) != 0 || c == '.';
                           });
    if (!has_stamp || line.size() < space + 3 || line[space + 2] != ' ') {
        return line;
    }
    level = line[space + 1];
    return trim(line.substr(space + 3));
}

bool speaks_of_failure(std::string_view line) {
    const auto lower = to_lower(line);
    constexpr std::array<std::string_view, 6> words{"error",  "fail",    "abort",
                                                    "assert", "what():", "exception"};
    return std::ranges::any_of(
        words, [&lower](std::string_view word) { return lower.find(word) != std::string::npos; });
}

/// "… load… 42 %" or "… progress … 42%": wording rolls from build to build.
std::optional<unsigned> percent_in(std::string_view line) {
    const auto lower = to_lower(line);
    if (lower.find("load") == std::string::npos && lower.find("progress") == std::string::npos) {
        return std::nullopt;
    }
    const auto sign = lower.find('%');
    if (sign == std::string::npos) {
        return std::nullopt;
    }
    const auto before = trim(std::string_view(lower).substr(0, sign));
    auto first = before.find_last_not_of("0123456789.");
    first = first == std::string_view::npos ? 0 : first + 1;
    unsigned percent = 0;
    const auto number = before.substr(first);
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), percent);
    const bool is_percent = error == std::errc() && percent <= 100;
    return is_percent ? std::optional(percent) : std::nullopt;
}

/// The line that tells most. The first error is nearest to the cause; the last ones say again that
/// it ends. Of a server that was killed a line that is no error tells nothing.
std::string telling_line(const std::vector<std::string>& lines, bool was_killed) {
    std::string first;
    for (const auto& line : lines) {
        char level = 0;
        const auto text = without_prefix(line, level);
        const bool is_error =
            level == 'E' || level == 'F' || (level == 0 && speaks_of_failure(line));
        // "failed to load model" from a deeper layer is said again with the file's name.
        if (is_error && (first.empty() || text.find('\'') != std::string_view::npos)) {
            first = text;
        }
        if (first.find('\'') != std::string::npos) {
            break;
        }
    }
    if (first.empty() && !lines.empty() && !was_killed) {
        char level = 0;
        first = without_prefix(lines.back(), level);
    }
    return escaped(first.substr(0, 400));
}

std::string meaning_of(const ExitStatus& status) {
    if (status.signal == SIGKILL) {
        return " (by the system when memory ran out, or by somebody)";
    }
    if (status.signal == SIGILL) {
        return " (a build for another processor)";
    }
    if (status.code == 127) {
        return " (a library that it needs is missing)";
    }
    return {};
}

Result<std::string> program_of(const Config& config) {
    return find_program(config.llama_server.path, "[llama_server] path (or LLAMA_SERVER_PATH)");
}

}  // namespace

const BackendInfo& LlamaServer::info() const noexcept {
    static constexpr BackendInfo info{.name = "llama-server",
                                      .summary = "llama.cpp's server for GGUF files",
                                      .unix_socket = true};
    return info;
}

Result<CommandLine> LlamaServer::command_line(const Model& model, const Config& config,
                                              const ListenAt& listen,
                                              const DevicePlan& plan) const {
    auto program = program_of(config);
    if (!program) {
        return program.error();
    }
    auto arguments = llama::arguments(model, config, listen, plan);
    if (!arguments) {
        return arguments.error();
    }
    CommandLine command;
    command.argv.push_back(std::move(*program));
    command.argv.insert(command.argv.end(), arguments->begin(), arguments->end());
    command.own_words = llama::own_words(model, config);
    command.environment = model.settings.env;
    llama::add_visibility(command.environment, plan);
    command.environment.emplace("GGML_NO_BACKTRACE", "1");  // else a crash starts a debugger
    return command;
}

std::optional<LaunchParameters> LlamaServer::launch_parameters(const CommandLine& command) const {
    auto launch = llama::launch_parameters(command.argv, command.own_words);
    launch.program = command.argv.front();
    static const bool processor_has_tiles = has_tiles({});
    launch.tiles = processor_has_tiles;
    const bool is_hidden = std::ranges::any_of(command.environment,
                                               [](const auto& variable) {
                                                   return llama::places_models(variable.first);
                                               }) ||
                           llama::daemon_places_models();
    launch.placed = is_hidden ? Placed::unreadable : launch.placed;
    return launch;
}

std::vector<std::string> LlamaServer::device_question(const Config& config) const {
    const auto program = program_of(config);
    return program ? std::vector<std::string>{*program, "--list-devices"}
                   : std::vector<std::string>();
}

std::optional<GpuSupport> LlamaServer::read_devices(const std::string& answer) const {
    return llama::read_device_list(answer);
}

std::unique_ptr<MemoryLog> LlamaServer::memory_log() const {
    return std::make_unique<llama::MemoryLines>();
}

unsigned LlamaServer::slots(const Model& model, const Config& config) const {
    const auto by_user = llama::user_number(model, config, "-np", "--parallel");
    return std::max(1U, by_user.value_or(model.settings.parallel.value_or(config.limits.parallel)));
}

std::uint64_t LlamaServer::context(const Model& model, const Config& config) const {
    const auto by_user = llama::user_number(model, config, "-c", "--ctx-size");
    if (by_user && *by_user > 0) {
        return *by_user / slots(model, config);
    }
    return model.settings.context ? *model.settings.context : model.metadata.context_length;
}

std::optional<std::uint64_t> LlamaServer::read_context(const std::string& body) const {
    const auto props = nlohmann::json::parse(body, nullptr, false);
    const auto settings =
        props.is_object() ? props.find("default_generation_settings") : props.end();
    if (!props.is_object() || settings == props.end() || !settings->is_object()) {
        return std::nullopt;
    }
    const auto context = settings->find("n_ctx");
    if (context == settings->end() || !context->is_number_unsigned()) {
        return std::nullopt;
    }
    return context->get<std::uint64_t>();
}

bool LlamaServer::is_port_taken(const std::vector<std::string>& last_lines) const {
    return std::ranges::any_of(last_lines, [](const std::string& line) {
        const auto lower = to_lower(line);
        return lower.find("couldn't bind") != std::string::npos ||
               lower.find("address already in use") != std::string::npos;
    });
}

LogHint LlamaServer::read_line(std::string_view line) const {
    char level = 0;
    without_prefix(line, level);
    LogHint hint;
    hint.is_error = level == 'E' || level == 'F' || (level == 0 && speaks_of_failure(line));
    hint.loaded_percent = percent_in(line);
    return hint;
}

std::string LlamaServer::explain_exit(const ExitStatus& status,
                                      const std::vector<std::string>& last_lines) const {
    auto text = to_string(status) + meaning_of(status);
    const auto line = telling_line(last_lines, status.signal == SIGKILL);
    return line.empty() ? text : text + ": " + line;
}

}  // namespace routerd
