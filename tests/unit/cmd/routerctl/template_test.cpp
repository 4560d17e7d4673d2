#include "cmd/routerctl/output/template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cmd/routerctl/output/table.hpp"

namespace routerd::ctl {
namespace {

struct TemplateCase {
    const char* name;
    const char* text;
    const char* outcome;  ///< the text, or "!" and the error
};

class TemplateTest : public testing::TestWithParam<TemplateCase> {};

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
        TemplateCase{"Plain", "x", "x"}, TemplateCase{"Empty", "", ""},
        TemplateCase{"Fields", "{{.size}} {{ .on }}{{.pid}}", "12 true"},
        TemplateCase{"AnyCase", "{{.Size}}", "12"}, TemplateCase{"Inner", "{{.inner.x}}", "Y"},
        TemplateCase{"Safe", "{{.id}}", "qwen\\x1B[31m"},
        TemplateCase{"Escapes", "a\\tb\\nc\\d", "a\tb\nc\\d"},
        TemplateCase{"Json", "{{json .inner}}", R"({"x":"Y"})"},
        TemplateCase{"JsonNull", "{{json .pid}}", "null"},
        TemplateCase{"Join", R"({{join .list ", "}})", "a, b"},
        TemplateCase{"Len", "{{len .list}}", "2"}, TemplateCase{"Upper", "{{upper .inner.x}}", "Y"},
        TemplateCase{"Lower", "{{lower .inner.x}}", "y"},
        TemplateCase{"NoField", "{{.nope}}", "!--format: no field '.nope'"},
        TemplateCase{"Open", "{{.id", "!--format: '{{' without '}}'"},
        TemplateCase{"NoName", "{{}}", "!--format: '{{}}' names no field"},
        TemplateCase{"NoFunction", "{{shout .id}}",
                     "!--format: unknown function 'shout' in '{{shout .id}}'"},
        TemplateCase{"TooMuch", "{{.id .size}}", "!--format: too many words in '{{.id .size}}'"}),
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
