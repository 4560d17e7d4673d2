#include "daemon/gguf/chat_template.hpp"

#include <string>

#include <gtest/gtest.h>

namespace routerd::gguf {
namespace {

TEST(ChatTemplateTest, FindsAThinkingMode) {
    EXPECT_TRUE(
        template_traits("{%- if enable_thinking is false %}{{ '<think>' }}{% endif %}").thinking);
    EXPECT_TRUE(template_traits("{{- '<think>\\n' }}").thinking);
    EXPECT_TRUE(template_traits("{% if thinking %}Think first.{% endif %}").thinking);
    EXPECT_TRUE(template_traits("Reasoning: {{ reasoning_effort }}").thinking);
}

TEST(ChatTemplateTest, TakesNoWordInTextOrQuotesForAVariable) {
    EXPECT_FALSE(template_traits("You are thinking with tools.").thinking);
    EXPECT_FALSE(template_traits("{{ 'thinking tools' }}{# if tools #}").thinking);
    EXPECT_FALSE(template_traits("{{ 'thinking tools' }}{# if tools #}").tools);
    EXPECT_FALSE(template_traits("{{ rethinking }}{{ mytools }}").tools);
}

TEST(ChatTemplateTest, FindsTools) {
    EXPECT_TRUE(template_traits("{%- if tools %}{{ tools | tojson }}{% endif %}").tools);
    EXPECT_FALSE(template_traits("{% for m in messages %}{{ m.content }}{% endfor %}").tools);
}

TEST(ChatTemplateTest, TakesAnyBytes) {
    for (const std::string text : {"", "{", "{%", "{{", "{{ 'open", "{{ \"\\", "{#", "{{{{{{"}) {
        EXPECT_FALSE(template_traits(text).thinking) << text;
    }
    EXPECT_FALSE(template_traits(std::string(1U << 20U, '{')).tools);
}

}  // namespace
}  // namespace routerd::gguf
