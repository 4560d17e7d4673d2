#include "daemon/gguf/chat_template.hpp"

#include <algorithm>
#include <array>

namespace routerd::gguf {
namespace {

// What models open or close their reasoning with, and the variables that only templates of
// thinking models read. "<think>" and its kin stand in quotes or in plain text, so any place
// counts.
constexpr std::array<std::string_view, 13> thinking_marks{
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "[THINK]",
    "<seed:think>",
    "◁think▷",
    "<|channel|>analysis",
    "<|begin_of_thought|>",
    "enable_thinking",
    "reasoning_effort",
    "reasoning_content",
    "<|think|>",
};

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether `code` (the inside of a Jinja tag) has `word` as an identifier, not inside quotes.
bool has_identifier(std::string_view code, std::string_view word) noexcept {
    char quote = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (quote != 0) {
            i += c == '\\' ? 1U : 0U;
            quote = c == quote ? char{0} : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (is_word(c)) {
            const auto* begin = code.data() + i;
            const auto* end = std::find_if_not(begin, code.data() + code.size(), is_word);
            const std::string_view found(begin, static_cast<std::size_t>(end - begin));
            if (found == word) {
                return true;
            }
            i += found.size() - 1;
        }
    }
    return false;
}

/// Calls `look` with the inside of each {% … %} and {{ … }}; comments are left out.
template <class Look>
void each_tag(std::string_view text, Look look) {
    for (;;) {
        const auto open = text.find('{');
        if (open == std::string_view::npos || open + 1 >= text.size()) {
            return;
        }
        const char kind = text[open + 1];
        text.remove_prefix(open + 1);
        const std::string_view close = kind == '%' ? "%}" : kind == '{' ? "}}" : "#}";
        if (kind != '%' && kind != '{' && kind != '#') {
            continue;
        }
        text.remove_prefix(1);
        const auto end = std::min(text.find(close), text.size());
        if (kind != '#') {
            look(text.substr(0, end));
        }
        text.remove_prefix(end);
    }
}

}  // namespace

TemplateTraits template_traits(std::string_view text) {
    TemplateTraits traits;
    traits.thinking = std::any_of(thinking_marks.begin(), thinking_marks.end(), [text](auto mark) {
        return text.find(mark) != std::string_view::npos;
    });
    each_tag(text, [&traits](std::string_view code) {
        traits.thinking = traits.thinking || has_identifier(code, "thinking");
        traits.tools = traits.tools || has_identifier(code, "tools");
    });
    return traits;
}

}  // namespace routerd::gguf
