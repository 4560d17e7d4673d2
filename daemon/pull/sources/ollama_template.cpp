#include "daemon/pull/sources/ollama_template.hpp"

#include <algorithm>
#include <array>

namespace routerd::pull {
namespace {

/// A template of llama.cpp (src/llama-chat.cpp), and what is in a text that writes turns like it.
struct Marked {
    std::string_view name;
    std::array<std::string_view, 3> marks;  ///< all of them; empty ones are always there
    std::string_view absent = {};           ///< and this is not
};

// The first that fits counts: what is more particular stands before what is less.
constexpr std::array rows{
    Marked{"phi4", {"<|im_start|>", "<|im_sep|>"}},
    Marked{"smolvlm", {"<|im_start|>", "<end_of_utterance>"}},
    Marked{"chatml", {"<|im_start|>", "<|im_end|>"}},
    Marked{"llama3", {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}},
    Marked{"llama4", {"<|header_start|>", "<|header_end|>", "<|eot|>"}},
    Marked{"mistral-v7", {"[SYSTEM_PROMPT] ", "[INST] "}},
    Marked{"mistral-v7-tekken", {"[SYSTEM_PROMPT]", "[INST]"}},
    Marked{"mistral-v3", {"[AVAILABLE_TOOLS]", "[INST] "}},
    Marked{"mistral-v3-tekken", {"[AVAILABLE_TOOLS]", "[INST]"}},
    Marked{"llama2-sys", {"[INST]", "<<SYS>>"}},
    Marked{"llama2", {"[INST]", "[/INST]"}},
    Marked{"gemma", {"<start_of_turn>", "<end_of_turn>"}},
    Marked{"phi3", {"<|user|>", "<|assistant|>", "<|end|>"}},
    Marked{"zephyr", {"<|user|>", "<|assistant|>", "<|endoftext|>"}, "</s>"},
    Marked{"chatglm4", {"[gMASK]<sop>", "<|user|>", "<|assistant|>"}},
    Marked{"command-r", {"<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"}},
    Marked{"deepseek3", {"<｜User｜>", "<｜Assistant｜>"}},
    Marked{"granite", {"<|start_of_role|>", "<|end_of_role|>"}},
    Marked{"exaone3", {"[|user|]", "[|assistant|]", "[|endofturn|]"}, "[|tool|]"},
    Marked{"openchat", {"GPT4 Correct User", "GPT4 Correct Assistant", "<|end_of_turn|>"}},
    Marked{"vicuna", {"USER: ", "ASSISTANT: "}, "SYSTEM: "},
};

bool in(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string_view builtin_template_of(std::string_view text) noexcept {
    for (const auto& row : rows) {
        const bool has_all = std::all_of(row.marks.begin(), row.marks.end(),
                                         [text](std::string_view mark) { return in(text, mark); });
        if (has_all && (row.absent.empty() || !in(text, row.absent))) {
            return row.name;
        }
    }
    return {};
}

}  // namespace routerd::pull
