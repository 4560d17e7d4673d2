#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/output/sheet.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/config/tier.hpp"

namespace routerd::ctl {
namespace {

struct ShowOptions {
    std::string name;
    bool gguf = false;
    bool cmdline = false;
    bool overrides = false;
};

std::string count_text(std::uint64_t count) {
    return count == 0 ? "" : format_count(count);
}

std::string number_text(std::uint64_t number) {
    return number == 0 ? "" : std::to_string(number);
}

std::string numbers_text(const std::vector<std::uint64_t>& numbers) {
    std::vector<std::string> words;
    for (const auto number : numbers) {
        words.push_back(std::to_string(number));
    }
    return join(words, " ");
}

std::string yes_no(bool value) {
    return value ? "yes" : "no";
}

void show_gguf(const Context& context, const api::GgufMetadata& gguf) {
    Sheet sheet;
    sheet.add("version", number_text(gguf.version));
    sheet.add("architecture", gguf.architecture);
    sheet.add("name", gguf.name);
    sheet.add("size label", gguf.size_label);
    sheet.add("quantization", gguf.quantization);
    sheet.add("parameters", count_text(gguf.parameters));
    sheet.add("tensors", gguf.tensor_bytes == 0 ? "" : format_bytes(gguf.tensor_bytes));
    sheet.add("context length", number_text(gguf.context_length));
    sheet.add("embedding length", number_text(gguf.embedding_length));
    sheet.add("layers", number_text(gguf.block_count));
    sheet.add("vocabulary", number_text(gguf.vocab_size));
    sheet.add("heads", numbers_text(gguf.head_count));
    sheet.add("KV heads", numbers_text(gguf.head_count_kv));
    sheet.add("key length", number_text(gguf.key_length));
    sheet.add("value length", number_text(gguf.value_length));
    sheet.add("sliding window", number_text(gguf.sliding_window));
    sheet.add("experts", number_text(gguf.expert_count));
    sheet.add("experts used", number_text(gguf.expert_used_count));
    sheet.add("tokenizer", gguf.tokenizer);
    sheet.add("pre-tokenizer", gguf.tokenizer_pre);
    sheet.add("parts", number_text(gguf.split_count));
    sheet.add("thinking", yes_no(gguf.thinking));
    sheet.add("tools", yes_no(gguf.tools));
    sheet.print(context.out());
    if (!gguf.chat_template.empty()) {
        context.out() << "chat template:\n";
        for (const auto line : split(gguf.chat_template, '\n')) {
            context.out() << "  " << escaped(line) << '\n';
        }
    }
}

void show_pairs(const Context& context, const std::map<std::string, std::string>& pairs) {
    for (const auto& [key, value] : pairs) {
        context.out() << escaped(key) << '=' << escaped(value) << '\n';
    }
}

std::string command_text(const api::Model& model) {
    std::vector<std::string> words;
    for (const auto& word : model.cmdline) {
        words.push_back(shell_quote(word));
    }
    return join(words, " ");
}

void show_model(const Context& context, const api::Model& model) {
    const auto& summary = model.summary;
    const auto overridden = [](bool is) { return is ? " (overridden)" : ""; };
    Sheet sheet;
    sheet.add("name", summary.id + (summary.is_default ? " (default)" : ""));
    sheet.add("title", summary.display_name);
    sheet.add("aliases", join(summary.aliases, ", "));
    sheet.add("state", summary.enabled ? summary.state : "disabled");
    sheet.add("last error", model.last_error);
    sheet.add("tier", std::string(to_string(summary.tier)) + overridden(summary.tier_overridden));
    sheet.add("thinking", yes_no(summary.thinking) + overridden(summary.thinking_overridden));
    sheet.add("pinned", yes_no(summary.pinned));
    sheet.add("capabilities", join(summary.capabilities, ", "));
    sheet.add("architecture", summary.architecture);
    sheet.add("quantization", summary.quantization);
    sheet.add("parameters", count_text(summary.parameters));
    sheet.add("size", summary.size_bytes == 0 ? "" : format_bytes(summary.size_bytes));
    sheet.add("context", number_text(summary.context_length));
    sheet.add("source", summary.source);
    sheet.add("modified", model.modified ? format_relative(*model.modified, context.now) : "");
    sheet.add_all("files", model.files);
    sheet.add("mmproj", model.mmproj);
    sheet.add_all("adapters", model.adapters);
    std::vector<std::string> settings;
    for (const auto& [key, value] : model.settings) {
        auto& setting = settings.emplace_back(key);
        setting.append("=").append(value);
        setting.append(model.overrides.contains(key) ? " (override)" : "");
    }
    sheet.add_all("settings", settings);
    sheet.add("command", model.cmdline.empty() ? model.cmdline_error : command_text(model));
    sheet.print(context.out());
}

int show_command_line(const Context& context, const api::Model& model) {
    if (model.cmdline.empty()) {
        return context.fail(Error(Errc::unavailable, model.cmdline_error)
                                .within("command line of '" + model.summary.id + "'"));
    }
    context.out() << command_text(model) << '\n';
    return exit_ok;
}

int run_show(Context& context, const ShowOptions& options) {
    const auto model = context.client.model(options.name);
    if (!model) {
        return context.fail(model.error());
    }
    if (options.cmdline && context.format.is_for_people()) {
        return show_command_line(context, *model);
    }
    const auto show = [&] {
        if (options.gguf) {
            show_gguf(context, model->gguf);
        } else if (options.overrides) {
            show_pairs(context, model->overrides);
        } else {
            show_model(context, *model);
        }
    };
    return print_value(context, *model, model->summary.id, show);
}

}  // namespace

void add_show(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("show", "Show one model in full");
    auto options = std::make_shared<ShowOptions>();
    add_model(*command, options->name);
    auto* gguf = command->add_flag("--gguf", options->gguf, "what its file says");
    auto* cmdline =
        command->add_flag("--cmdline", options->cmdline, "the exact command that a load would run");
    auto* overrides = command->add_flag("--overrides", options->overrides,
                                        "the settings that were changed with set and its like");
    cmdline->excludes(gguf);
    overrides->excludes(gguf)->excludes(cmdline);
    set_action(*command, invocation, options, run_show);
}

}  // namespace routerd::ctl
