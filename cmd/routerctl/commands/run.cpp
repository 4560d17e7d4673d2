#include <algorithm>
#include <ostream>

#include "cmd/routerctl/chat.hpp"
#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/line_reader.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct RunOptions {
    ChatOptions chat;
    std::vector<std::string> prompt;
    bool hide_thinking = false;
};

/// Prints an answer as it comes: the thoughts dimmed, waiting for the model on a passing line of
/// stderr.
class AnswerPrinter {
  public:
    AnswerPrinter(const Context& context, bool hide_thinking)
        : context_(context), hide_thinking_(hide_thinking) {}

    void take(Part part, std::string_view text) {
        if (part == Part::progress) {
            if (context_.terminal.err_is_tty) {
                context_.terminal.err << "\r\x1b[K" << escaped(text) << std::flush;
                waiting_ = true;
            }
            return;
        }
        clear_progress();
        if (!context_.format.is_for_people() || (part == Part::reasoning && hide_thinking_)) {
            return;
        }
        if (part == Part::content && last_ == Part::reasoning) {
            context_.out() << "\n\n";
        }
        last_ = part;
        const auto style = part == Part::reasoning ? Style::dim : Style::plain;
        context_.out() << context_.colors.paint(safe(text), style) << std::flush;
        at_line_start_ = text.ends_with('\n');
    }

    /// After the answer: ends the line.
    void finish() {
        clear_progress();
        if (!at_line_start_) {
            context_.out() << '\n';
        }
        context_.out() << std::flush;
    }

  private:
    /// Models write several lines and tabs; all else that a terminal would obey is escaped, where
    /// it is one. A file gets what the model wrote.
    std::string safe(std::string_view text) const {
        if (!context_.terminal.out_is_tty) {
            return std::string(text);
        }
        std::string result;
        while (!text.empty()) {
            const auto plain = std::min(text.find_first_of("\n\t"), text.size());
            result += escaped(text.substr(0, plain));
            result += text.substr(plain, 1);
            text.remove_prefix(std::min(plain + 1, text.size()));
        }
        return result;
    }

    void clear_progress() {
        if (waiting_) {
            context_.terminal.err << "\r\x1b[K" << std::flush;
            waiting_ = false;
        }
    }

    const Context& context_;
    bool hide_thinking_;
    bool waiting_ = false;
    bool at_line_start_ = true;
    Part last_ = Part::content;
};

int answer_one(Context& context, Conversation& conversation, const RunOptions& options,
               const std::string& prompt) {
    AnswerPrinter printer(context, options.hide_thinking);
    const auto answer = conversation.ask(
        prompt, [&printer](Part part, std::string_view text) { printer.take(part, text); });
    printer.finish();
    if (!answer) {
        return context.fail(answer.error());
    }
    if (context.format.is_for_people()) {
        return exit_ok;
    }
    if (context.format.kind == Format::Kind::quiet) {
        context.out() << answer->content << '\n';
        return exit_ok;
    }
    return print_json(context, encode(*answer, options.chat.model), "", [] {});
}

constexpr std::string_view talk_help =
    "Type a message. /clear forgets the conversation, /bye or Ctrl-D ends it, Ctrl-C stops an "
    "answer.\n";

/// A conversation line by line until the input ends.
int talk(Context& context, Conversation& conversation, const RunOptions& options) {
    LineReader lines(context.terminal.in_fd, context.interrupt.fd());
    context.terminal.err << talk_help;
    for (;;) {
        context.terminal.err << ">>> " << std::flush;
        const auto line = lines.next();
        if (!line && line.error().code() == Errc::cancelled) {
            context.interrupt.clear();
            context.terminal.err << "\n(/bye or Ctrl-D ends the conversation)\n";
            continue;
        }
        if (!line) {
            return context.fail(line.error());
        }
        if (!*line || trim(**line) == "/bye") {
            return exit_ok;
        }
        if (trim(**line) == "/clear") {
            conversation.clear();
        } else if (trim(**line) == "/help" || trim(**line) == "/?") {
            context.terminal.err << talk_help;
        } else if (!trim(**line).empty()) {
            answer_one(context, conversation, options, **line);
            context.interrupt.clear();
        }
    }
}

/// The prompt of the command line with "-" replaced by the input, or the input where there is none.
Result<std::string> prompt_of(const Context& context, const RunOptions& options) {
    const bool wants_input =
        options.prompt.empty() ||
        std::find(options.prompt.begin(), options.prompt.end(), "-") != options.prompt.end();
    std::string input;
    if (wants_input) {
        LineReader reader(context.terminal.in_fd, context.interrupt.fd());
        auto read = reader.rest();
        if (!read) {
            return read.error();
        }
        input = std::move(*read);
    }
    if (options.prompt.empty()) {
        return input;
    }
    auto words = options.prompt;
    std::replace(words.begin(), words.end(), std::string("-"), input);
    return join(words, " ");
}

int run_run(Context& context, const RunOptions& options) {
    Conversation conversation(context.client, options.chat);
    if (options.prompt.empty() && context.terminal.in_is_tty) {
        return talk(context, conversation, options);
    }
    const auto prompt = prompt_of(context, options);
    if (!prompt) {
        return context.fail(prompt.error());
    }
    if (trim(*prompt).empty()) {
        return context.fail(Error(Errc::invalid_request, "the prompt is empty"));
    }
    return answer_one(context, conversation, options, *prompt);
}

}  // namespace

void add_run(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("run", "Ask a model and print its answer as it comes");
    command->alias("chat");
    command->footer(
        "Without PROMPT it is a conversation on a terminal; otherwise the prompt is read from\n"
        "standard input. The word - in PROMPT stands for standard input too.");
    auto options = std::make_shared<RunOptions>();
    add_model(*command, options->chat.model);
    command->add_option("PROMPT", options->prompt, "what to ask")->type_name("TEXT");
    command->add_option("--system", options->chat.system, "a system message before it")
        ->type_name("TEXT");
    command->add_option("--max-tokens", options->chat.max_tokens, "end the answer there")
        ->type_name("N");
    command->add_option("--temperature", options->chat.temperature, "0: always the likeliest word")
        ->type_name("X");
    command->add_flag("--hide-thinking", options->hide_thinking, "print the answer alone");
    set_action(*command, invocation, options, run_run);
}

}  // namespace routerd::ctl
