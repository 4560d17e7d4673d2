#include "common/config/model_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ModelKeysTest, TextsAreReadBackAsTheyWere) {
    ModelConfig config;
    const std::vector<std::pair<std::string, std::string>> given{
        {"path", "/m/a,b.gguf"},
        {"backend", "llama-server"},
        {"args", R"(["--x", "a b", "c,d"])"},
        {"context", "4096"},
        {"parallel", "2"},
        {"cache_type_k", "q8_0"},
        {"cache_type_v", "f16"},
        {"gpu_layers", "-1"},
        {"devices", R"(["cuda0"])"},
        {"lora", R"(["/l.gguf"])"},
        {"remote_model", "org/name"},
        {"aliases", R"(["a", "b"])"},
        {"tier", "powerful"},
        {"thinking", "true"},
        {"enabled", "false"},
        {"pin", "true"},
        {"idle_unload", "90s"},
        {"instances", "1"},
        {"groups", R"(["coders"])"},
        {"set.temperature", "0.5"},
        {"set.user", "\"x\""},
        {"strip", R"(["logprobs"])"},
        {"env.A", "1"},
    };
    for (const auto& [key, text] : given) {
        const auto done = set_model_key(config, key, text);
        EXPECT_TRUE(done) << key << ": " << done.error().message();
    }
    EXPECT_EQ(model_config_to_texts(config), given);
}

TEST(ModelKeysTest, TakesWhatPeopleType) {
    ModelConfig config;
    EXPECT_TRUE(set_model_key(config, "aliases", "a, b ,"));
    EXPECT_TRUE(set_model_key(config, "args", "--jinja -t 1 --x 'a b'"));
    EXPECT_TRUE(set_model_key(config, "thinking", "on"));
    EXPECT_TRUE(set_model_key(config, "idle_unload", "1.5h"));
    EXPECT_TRUE(set_model_key(config, "set.stop", R"(["a"])"));
    EXPECT_TRUE(set_model_key(config, "set.user", "someone"));
    EXPECT_THAT(*config.aliases, ElementsAre("a", "b"));
    EXPECT_THAT(*config.args, ElementsAre("--jinja", "-t", "1", "--x", "a b"));
    EXPECT_TRUE(*config.thinking);
    EXPECT_EQ(*config.idle_unload, std::chrono::minutes(90));
    EXPECT_EQ(config.set.at("stop"), R"(["a"])");
    EXPECT_EQ(config.set.at("user"), R"("someone")");
}

struct Refusal {
    const char* key;
    const char* text;
    const char* message;
    const char* hint;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, SaysWhyAndChangesNothing) {
    ModelConfig config;
    const auto done = set_model_key(config, GetParam().key, GetParam().text);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::invalid_request);
    EXPECT_THAT(done.error().message(), HasSubstr(GetParam().message));
    EXPECT_THAT(done.error().hint(), HasSubstr(GetParam().hint));
    EXPECT_TRUE(model_config_to_texts(config).empty());
}

INSTANTIATE_TEST_SUITE_P(
    ModelKeysTest, RefusalTest,
    testing::Values(Refusal{"contxt", "1", "unknown key 'contxt'", "did you mean 'context'?"},
                    Refusal{"zzzzzz", "1", "unknown key", "the keys of a model are path,"},
                    Refusal{"context", "0", "context: must be from 1 to", ""},
                    Refusal{"context", "4k", "must be a whole number, not '4k'", ""},
                    Refusal{"tier", "quick", "must be one of fast, balanced, powerful", ""},
                    Refusal{"pin", "maybe", "must be true or false, not 'maybe'", ""},
                    Refusal{"args", "[1]", "must be a JSON list of strings", ""},
                    Refusal{"args", "[\"a\"", "must be a JSON list of strings", ""},
                    Refusal{"set", "1", "'set' holds entries", "set.NAME=VALUE"},
                    Refusal{"set.", "1", "names no entry", "set.NAME"},
                    Refusal{"context.x", "1", "unknown key 'context.x'", ""},
                    Refusal{"backend", "ollama", "must be one of llama-server, remote", ""},
                    Refusal{"url", "http://h", "'url' is for the configuration alone", "[model."},
                    Refusal{"key_file", "/k", "'key_file' is for the configuration", "reload"}));

TEST(ModelKeysTest, UnsetMakesAbsent) {
    ModelConfig config;
    ASSERT_TRUE(set_model_key(config, "context", "1"));
    ASSERT_TRUE(set_model_key(config, "set.a", "1"));
    ASSERT_TRUE(set_model_key(config, "set.b", "2"));
    EXPECT_TRUE(unset_model_key(config, "context"));
    EXPECT_TRUE(unset_model_key(config, "pin"));
    EXPECT_TRUE(unset_model_key(config, "set.a"));
    EXPECT_THAT(model_config_to_texts(config), ElementsAre(Pair("set.b", "2")));
    EXPECT_TRUE(unset_model_key(config, "set"));
    EXPECT_TRUE(model_config_to_texts(config).empty());
    EXPECT_FALSE(unset_model_key(config, "contxt"));
}

TEST(ModelKeysTest, OverlaySaysMoreThanItsBase) {
    ModelConfig base;
    ModelConfig over;
    ASSERT_TRUE(set_model_key(base, "context", "1"));
    ASSERT_TRUE(set_model_key(base, "pin", "true"));
    ASSERT_TRUE(set_model_key(base, "env.A", "1"));
    ASSERT_TRUE(set_model_key(base, "env.B", "1"));
    ASSERT_TRUE(set_model_key(over, "context", "2"));
    ASSERT_TRUE(set_model_key(over, "env.B", "2"));
    EXPECT_THAT(model_config_to_texts(overlay(base, over)),
                ElementsAre(Pair("context", "2"), Pair("pin", "true"), Pair("env.A", "1"),
                            Pair("env.B", "2")));
}

}  // namespace
}  // namespace routerd
