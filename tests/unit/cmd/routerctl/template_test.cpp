#include "cmd/routerctl/output/template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cmd/routerctl/output/table.hpp"

namespace routerd::ctl {
namespace {

struct Case {
    const char* name;
    const char* text;
    const char* outcome;  ///< the text, or "!" and the error
};

class TemplateTest : public testing::TestWithParam<Case> {};

TEST_P(TemplateTest, GivesTextOrSaysWhatIsWrong) {
    const nlohmann::json value{{"id", "qwen\x1b[31m"}, {"pid", nullptr},
                               {"size", 12},           {"on", true},
                               {"list", {"a", "b"}},   {"inner", {{"x", "Y"}}}};
    const auto parsed = Template::parse(GetParam().text);
    const auto text = parsed ? parsed->apply(value) : Result<std::string>(parsed.error());
    EXPECT_EQ(text ? *text : "!" + text.error().message(), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    All, TemplateTest,
    testing::Values(
        Case{"Plain", "x", "x"}, Case{"Empty", "", ""},
        Case{"Fields", "{{.size}} {{ .on }}{{.pid}}", "12 true"},
        Case{"AnyCase", "{{.Size}}", "12"}, Case{"Inner", "{{.inner.x}}", "Y"},
        Case{"Safe", "{{.id}}", "qwen\\x1B[31m"}, Case{"Escapes", "a\\tb\\nc\\d", "a\tb\nc\\d"},
        Case{"Json", "{{json .inner}}", R"({"x":"Y"})"}, Case{"JsonNull", "{{json .pid}}", "null"},
        Case{"Join", R"({{join .list ", "}})", "a, b"}, Case{"Len", "{{len .list}}", "2"},
        Case{"Upper", "{{upper .inner.x}}", "Y"}, Case{"Lower", "{{lower .inner.x}}", "y"},
        Case{"NoField", "{{.nope}}", "!--format: no field '.nope'"},
        Case{"Open", "{{.id", "!--format: '{{' without '}}'"},
        Case{"NoName", "{{}}", "!--format: '{{}}' names no field"},
        Case{"NoFunction", "{{shout .id}}",
             "!--format: unknown function 'shout' in '{{shout .id}}'"},
        Case{"TooMuch", "{{.id .size}}", "!--format: too many words in '{{.id .size}}'"}),
    [](const auto& row) { return row.param.name; });

TEST(TemplateHeadingTest, HasTheFieldsNames) {
    EXPECT_EQ(Template::parse("{{.id}}\\t{{join .aliases \",\"}}")->heading(), "ID\tALIASES");
}

TEST(ShortenedTest, CountsCharactersAndNotBytes) {
    EXPECT_EQ(shortened("äöü", 3), "äöü");
    EXPECT_EQ(shortened("äöüß", 3), "äö…");
}

}  // namespace
}  // namespace routerd::ctl
