#include "daemon/pull/sources/ollama.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/pull/sources/ollama_template.hpp"
#include "daemon/transfer/sha256.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/unit/daemon/pull/scripted_documents.hpp"

namespace routerd::pull::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string digest_of(const std::string& text) {
    transfer::Sha256 sum;
    sum.update(text);
    return sum.finish();
}

class OllamaPullTest : public testing::Test {
  protected:
    OllamaPullTest() {
        reference_.space = "library";
        reference_.name = "qwen3";
        reference_.tag = "8b";
    }

    /// A layer of the manifest; of texts also the blob.
    void layer(const std::string& kind, const std::string& text) {
        const auto digest = digest_of(text);
        documents_.answer(base_ + "/blobs/sha256:" + digest, text);
        layers_ += layers_.empty() ? "" : ",";
        layers_ += R"({"mediaType":"application/vnd.ollama.image.)" + kind +
                   R"(","digest":"sha256:)" + digest + R"(","size":)" +
                   std::to_string(text.size()) + "}";
        documents_.answer(base_ + "/manifests/" + reference_.tag,
                          R"({"schemaVersion":2,"layers":[)" + layers_ + "]}");
    }

    Result<Plan> resolve() {
        Result<Plan> result = Error();
        routerd::test::run(resolve_into(result));
        return result;
    }

    std::string error() {
        const auto result = resolve();
        return result ? "none"
                      : std::string(to_string(result.error().code())) + ": " +
                            result.error().message();
    }

    std::string base_ = "https://registry.ollama.ai/v2/library/qwen3";
    std::string layers_;
    ScriptedDocuments documents_;
    OllamaReference reference_;
    OllamaOptions options_;

  private:
    asio::awaitable<void> resolve_into(Result<Plan>& result) {
        auto plan = co_await resolve_ollama(documents_, reference_, options_);
        result = std::move(plan);
    }
};

TEST_F(OllamaPullTest, PlansWeightsAndProjector) {
    layer("model", "weights");
    layer("projector", "eyes");
    layer("license", "free");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "qwen3:8b");
    ASSERT_EQ(plan->files.size(), 2U);
    EXPECT_EQ(plan->files[0].path, "ollama/library/qwen3/8b/qwen3-8b.gguf");
    EXPECT_EQ(plan->files[0].url, base_ + "/blobs/sha256:" + digest_of("weights"));
    EXPECT_EQ(plan->files[0].size, 7U);
    EXPECT_EQ(plan->files[0].sha256, digest_of("weights"));
    EXPECT_EQ(plan->files[1].path, "ollama/library/qwen3/8b/mmproj-qwen3-8b.gguf");
    EXPECT_EQ(documents_.asked.size(), 1U);
    EXPECT_EQ(documents_.asked[0].accept, "application/vnd.docker.distribution.manifest.v2+json");
}

TEST_F(OllamaPullTest, TurnsParametersIntoOverrides) {
    layer("model", "weights");
    layer("params", R"({"num_ctx":8192,"temperature":0.6,"top_k":20,"stop":["<|im_end|>","x"],
                        "num_gpu":99,"seed":"text","num_predict":-1})");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_THAT(plan->overrides,
                ElementsAre(Pair("context", "8192"), Pair("set.stop", R"(["<|im_end|>","x"])"),
                            Pair("args", R"(["--temp","0.6","--top-k","20"])")));
    EXPECT_EQ(plan->notes.at(1),
              "parameters for Ollama that are left out: num_gpu, num_predict, seed");
}

TEST_F(OllamaPullTest, NamesTheTemplateThatDoesTheSame) {
    layer("model", "weights");
    layer("template", "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n");
    layer("system", "You are a pirate.");
    const auto plan = resolve();
    EXPECT_EQ(plan->chat_template, "chatml");
    EXPECT_EQ(plan->notes.size(), 2U);
    EXPECT_TRUE(plan->overrides.empty());
}

TEST_F(OllamaPullTest, AsksOtherRegistries) {
    reference_.host = "reg.example:5000";
    reference_.space = "me";
    base_ = "https://reg.example:5000/v2/me/qwen3";
    layer("model", "weights");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "reg.example:5000/me/qwen3:8b");
    EXPECT_EQ(plan->files[0].path, "ollama/reg.example_5000/me/qwen3/8b/qwen3-8b.gguf");
    options_.endpoint = "http://127.0.0.1:1/";
    EXPECT_EQ(error().find("not_found"), 0U);
    EXPECT_EQ(documents_.asked.back().url, "http://127.0.0.1:1/v2/me/qwen3/manifests/8b");
}

TEST_F(OllamaPullTest, SaysWhatItCannotHave) {
    EXPECT_EQ(error(),
              "not_found: find 'qwen3:8b' in Ollama's registry: the registry has no such "
              "model or tag");
    documents_.answer(base_ + "/manifests/8b", "", 401);
    EXPECT_EQ(error().find("forbidden"), 0U);
    layer("license", "free");
    EXPECT_EQ(error(),
              "not_found: find 'qwen3:8b' in Ollama's registry: it has no weights in a GGUF file");
}

TEST_F(OllamaPullTest, RefusesWhatIsNotAsTheManifestSays) {
    for (const auto* digest :
         {"", "sha256:", "sha256:../../../etc/passwd", "md5:00",
          "sha256-0000000000000000000000000000000000000000000000000000000000000000"}) {
        documents_.answer(
            base_ + "/manifests/8b",
            R"({"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":")" +
                std::string(digest) + R"("}]})");
        EXPECT_EQ(error().find("upstream_error"), 0U) << digest;
    }
    for (const auto* body : {"", "[]", "{}", R"({"layers":{}})"}) {
        documents_.answer(base_ + "/manifests/8b", body);
        EXPECT_EQ(error().find("upstream_error"), 0U) << body;
    }
    layer("model", "weights");
    layer("params", R"({"top_k":20})");
    documents_.answer(base_ + "/blobs/sha256:" + digest_of(R"({"top_k":20})"), "{}");
    EXPECT_EQ(error(),
              "upstream_error: find 'qwen3:8b' in Ollama's registry: what came as the "
              "params has another digest than its manifest says");
}

TEST_F(OllamaPullTest, StandsParametersThatAreNone) {
    layer("model", "weights");
    layer("params", "[[[");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->notes.at(0), "its parameters cannot be read and are left out");
}

TEST_F(OllamaPullTest, LooksIntoNoParameterThatItDoesNotKnow) {
    layer("model", "weights");
    const std::size_t depth = 200'000;  // of dump(): more than the stack has room for
    layer("params", R"({"deep":)" + std::string(depth, '[') + std::string(depth, ']') +
                        R"(,"stop":[[]],"top_k":20})");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_THAT(plan->overrides, ElementsAre(Pair("args", R"(["--top-k","20"])")));
    EXPECT_EQ(plan->notes.at(0), "parameters for Ollama that are left out: deep, stop");
}

TEST_F(OllamaPullTest, NamesSomeOfManyParametersThatAreLeftOut) {
    layer("model", "weights");
    std::string parameters = "{";
    for (int i = 0; i < 1000; ++i) {
        parameters += "\"name" + std::to_string(1000 + i) + "\":0,";
    }
    layer("params", parameters + R"("z":0})");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_LT(plan->notes.at(0).size(), 300U);
    EXPECT_TRUE(plan->notes.at(0).ends_with("name1018, name1019, …"));
}

struct Turns {
    const char* text;
    const char* name;
};

class OllamaTemplateTest : public testing::TestWithParam<Turns> {};

TEST_P(OllamaTemplateTest, IsKnownByItsMarkers) {
    EXPECT_EQ(builtin_template_of(GetParam().text), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Markers, OllamaTemplateTest,
    testing::Values(
        Turns{"", ""}, Turns{"{{ .Prompt }}", ""}, Turns{"[gMASK]", ""},
        Turns{"<|im_start|>system<|im_sep|>{{ .System }}<|im_end|>", "phi4"},
        Turns{"<|start_header_id|>user<|end_header_id|>\n\n{{ .Prompt }}<|eot_id|>", "llama3"},
        Turns{"[INST] <<SYS>>{{ .System }}<</SYS>>\n{{ .Prompt }} [/INST]", "llama2-sys"},
        Turns{"[INST] {{ .System }} {{ .Prompt }} [/INST]", "llama2"},
        Turns{"[AVAILABLE_TOOLS] {{ .Tools }}[/AVAILABLE_TOOLS][INST] {{ .Content }}[/INST]",
              "mistral-v3"},
        Turns{"[AVAILABLE_TOOLS]{{ .Tools }}[/AVAILABLE_TOOLS][INST]{{ .Content }}[/INST]",
              "mistral-v3-tekken"},
        Turns{"[SYSTEM_PROMPT]{{ .System }}[/SYSTEM_PROMPT][INST]{{ .Content }}[/INST]",
              "mistral-v7-tekken"},
        Turns{"<start_of_turn>user\n{{ .Prompt }}<end_of_turn>", "gemma"},
        Turns{"<|user|>\n{{ .Prompt }}<|end|>\n<|assistant|>\n", "phi3"},
        Turns{"<|user|>\n{{ .Prompt }}</s>\n<|assistant|>\n", ""},
        Turns{"<｜User｜>{{ .Prompt }}<｜Assistant｜>", "deepseek3"},
        Turns{"<|start|>system<|message|>", ""}));

}  // namespace
}  // namespace routerd::pull::test
