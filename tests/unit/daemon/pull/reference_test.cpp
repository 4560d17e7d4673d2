#include "daemon/pull/reference.hpp"

#include <gtest/gtest.h>

#include "common/base/text.hpp"

namespace routerd::pull {
namespace {

/// A reference in one line.
struct Shown {
    std::string operator()(const HubReference& hub) const {
        return "hub " + hub.id() + " tag=" + hub.tag + " rev=" + hub.revision + " file=" + hub.file;
    }
    std::string operator()(const OllamaReference& ollama) const {
        return "ollama " + ollama.host + "|" + ollama.space + "|" + ollama.name + "|" + ollama.tag;
    }
    std::string operator()(const UrlReference& url) const { return "url " + url.url; }
    std::string operator()(const FileReference& file) const { return "file " + file.path; }
};

std::string read(std::string_view text) {
    const auto reference = parse_reference(text);
    return reference ? std::visit(Shown{}, *reference) : "error: " + reference.error().message();
}

struct Form {
    const char* text;
    const char* means;
};

class ReferenceTest : public testing::TestWithParam<Form> {};

TEST_P(ReferenceTest, IsReadAsItIsMeant) {
    EXPECT_EQ(read(GetParam().text), GetParam().means);
}

INSTANTIATE_TEST_SUITE_P(
    Hub, ReferenceTest,
    testing::Values(
        Form{"org/repo", "hub org/repo tag= rev= file="},
        Form{"unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL",
             "hub unsloth/Qwen3-8B-GGUF tag=UD-Q4_K_XL rev= file="},
        Form{"org/repo@v1.0:Q8_0", "hub org/repo tag=Q8_0 rev=v1.0 file="},
        Form{"org/repo@refs/pr/3", "hub org/repo tag= rev=refs/pr/3 file="},
        Form{"hf.co/org/repo:q4_k_m", "hub org/repo tag=q4_k_m rev= file="},
        Form{"HuggingFace.co/org/repo", "hub org/repo tag= rev= file="},
        Form{"hf://org/repo", "hub org/repo tag= rev= file="},
        Form{"https://huggingface.co/org/repo/", "hub org/repo tag= rev= file="},
        Form{"https://huggingface.co/org/repo?show_file_info=x.gguf",
             "hub org/repo tag= rev= file="},
        Form{"https://huggingface.co/org/repo/tree/main", "hub org/repo tag= rev=main file="},
        Form{"https://huggingface.co/org/repo/resolve/main/a/b%20c.gguf?download=true",
             "hub org/repo tag= rev=main file=a/b c.gguf"},
        Form{"https://hf.co/org/repo/blob/refs%2Fpr%2F3/x.GGUF",
             "hub org/repo tag= rev=refs/pr/3 file=x.GGUF"},
        Form{"org/repo/sub/x-Q4_K_M.gguf", "hub org/repo tag= rev= file=sub/x-Q4_K_M.gguf"},
        Form{"org/repo:x-IQ3_M.gguf", "hub org/repo tag=x-IQ3_M.gguf rev= file="},
        Form{"ollama://hf.co/org/repo:Q4_K_M", "hub org/repo tag=Q4_K_M rev= file="}));

INSTANTIATE_TEST_SUITE_P(
    Others, ReferenceTest,
    testing::Values(
        Form{"ollama://qwen3", "ollama |library|qwen3|latest"},
        Form{"ollama://qwen2.5-coder:7b-instruct-q4_K_M",
             "ollama |library|qwen2.5-coder|7b-instruct-q4_K_M"},
        Form{"ollama://me/mine:x", "ollama |me|mine|x"},
        Form{"ollama://reg.example:5000/me/mine", "ollama reg.example:5000|me|mine|latest"},
        Form{"ollama://registry.ollama.ai/library/a:b", "ollama |library|a|b"},
        Form{"https://ollama.com/library/qwen3:8b", "ollama |library|qwen3|8b"},
        Form{"https://example.com/a/b.gguf?sig=1", "url https://example.com/a/b.gguf?sig=1"},
        Form{"http://10.0.0.1:8000/b.gguf", "url http://10.0.0.1:8000/b.gguf"},
        Form{"file:///models/a b%23.gguf", "file /models/a b#.gguf"},
        Form{"file://localhost/m/a.gguf", "file /m/a.gguf"}));

TEST(ReferenceErrorsTest, SayWhatIsWrong) {
    EXPECT_EQ(read(""), "error: no model is named");
    EXPECT_EQ(read("org/re po"), "error: 'org/re po' names no model: a space is in it");
    EXPECT_EQ(read("C:\\m\\x.gguf"), "error: 'C:\\m\\x.gguf' names no model: a backslash is in it");
    EXPECT_EQ(read("../x/y"),
              "error: '../x/y' names no model: it looks like a file of this machine");
    EXPECT_EQ(read("org/.."), "error: 'org/..' names no repository: '..' is not a name on the hub");
    EXPECT_EQ(read("ftp://h/x.gguf"),
              "error: 'ftp://h/x.gguf' names no model: 'ftp://' is not something to pull from");
    EXPECT_EQ(parse_reference("qwen3:8b").error().hint(),
              "write ollama://qwen3:8b for Ollama's registry, or org/repo for the hub");
}

class BadReferenceTest : public testing::TestWithParam<const char*> {};

TEST_P(BadReferenceTest, IsRefused) {
    const auto reference = parse_reference(GetParam());
    ASSERT_FALSE(reference);
    EXPECT_EQ(reference.error().code(), Errc::invalid_request);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadReferenceTest,
    testing::Values(" ", "/models/x.gguf", "~/x.gguf", "x.gguf", "org/", "/repo", "org//x",
                    "org/repo:", "org/repo@", "org/repo:Q4 K", "org/repo:../x", "org/repo@..",
                    "org/a--b", "-org/repo", "org/repo.", "org/repo\nx", "org/re\x01po",
                    "org/re\xffpo", "org/repo/README.md", "org/repo/../x.gguf",
                    "org/repo/%2e%2e/x.gguf", "hf.co/org", "https://huggingface.co/",
                    "https://huggingface.co/datasets/a/b", "https://huggingface.co/datasets/b",
                    "https://huggingface.co/org/repo/resolve/main/x.safetensors",
                    "https://huggingface.co/org/repo/resolve/main",
                    "https://huggingface.co/org/repo/resolve/main/..%2F..%2Fx.gguf", "ollama://",
                    "ollama://:tag", "ollama://a:", "ollama://a/b/c/d", "ollama://a b",
                    "ollama://../x", "ollama://a/..:b", "ollama://qwen3@sha256:00",
                    "https://ollama.com/library/qwen3/tags", "ollama://127.1/a/b",
                    "https://example.com/", "https://example.com/x.bin", "https://user@h/x.gguf",
                    "https://h/..%2fx.gguf", "file://x.gguf", "file:///x.bin", "file:/m/x.gguf",
                    "file:///a/../x.gguf", "file:///a%00.gguf", "file://host/x.gguf"));

TEST(ReferenceErrorsTest, CutNoCharacterInTheirHints) {
    std::string name = "a";
    while (name.size() < 300) {
        name += "é";
    }
    const auto reference = parse_reference(name);
    ASSERT_FALSE(reference);
    EXPECT_EQ(reference.error().hint(), valid_utf8(reference.error().hint()));
}

TEST(ReferenceErrorsTest, RefuseWhatIsTooLong) {
    EXPECT_FALSE(parse_reference("org/" + std::string(97, 'a')));
    EXPECT_FALSE(parse_reference("https://h/" + std::string(5000, 'a') + ".gguf"));
    EXPECT_FALSE(parse_reference("ollama://" + std::string(81, 'a')));
}

}  // namespace
}  // namespace routerd::pull
