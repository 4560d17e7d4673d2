#include "common/config/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/load.hpp"

namespace routerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LoadedConfig load(Environment environment) {
    environment["HOME"] = "/nowhere";
    return load_config({.user = true, .file = {}, .environment = environment, .overrides = {}});
}

TEST(EnvironmentTest, EveryKeyHasAVariable) {
    EXPECT_EQ(variable_name("http.max_body"), "ROUTERD_HTTP_MAX_BODY");
    EXPECT_EQ(variable_name("llama_server.path"), "ROUTERD_LLAMA_SERVER_PATH");
    const auto loaded = load({{"ROUTERD_HTTP_LISTEN", "127.0.0.1:1,[::1]:2"},
                              {"ROUTERD_MEMORY_RESERVE", "host=1GiB"},
                              {"ROUTERD_LLAMA_SERVER_ARGS", "-t 1 --x 'a b'"},
                              {"ROUTERD_MODELS_DIRS", "[\"/a,b\"]"},
                              {"ROUTERD_MODELS_WATCH", "off"}});
    ASSERT_THAT(loaded.problems, IsEmpty());
    EXPECT_THAT(loaded.config.http.listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
    EXPECT_EQ(loaded.config.memory.reserve.at("host"), 1ULL << 30U);
    EXPECT_THAT(loaded.config.llama_server.args, ElementsAre("-t", "1", "--x", "a b"));
    EXPECT_THAT(loaded.config.models.dirs, ElementsAre("/a,b"));
    EXPECT_FALSE(loaded.config.models.watch);
}

TEST(EnvironmentTest, UnderstandsTheNamesOfOthers) {
    const auto loaded = load({{"LLAMA_SERVER_PATH", "/opt/llama-server"},
                              {"BASE_MODELS_PATH", "/m1"},
                              {"MODEL_SCAN_PATH", "/m,2"},
                              {"PROXY_API_KEY", "weaker"},
                              {"API_KEY", "stronger"},
                              {"CORS_ORIGINS", "https://a,https://b"},
                              {"RATE_LIMIT_PER_MINUTE", "60"},
                              {"MAX_STARTUP_TIME", "300"},
                              {"DEFAULT_MODEL", "m"},
                              {"HF_ENDPOINT", "https://hub"}});
    ASSERT_THAT(loaded.problems, IsEmpty());
    const auto& config = loaded.config;
    EXPECT_EQ(config.llama_server.path, "/opt/llama-server");
    EXPECT_THAT(config.models.dirs, ElementsAre("/m1", "/m,2"));
    EXPECT_EQ(config.auth.api_key, "stronger");
    EXPECT_THAT(config.http.cors_origins, ElementsAre("https://a", "https://b"));
    EXPECT_EQ(config.rate_limit.requests_per_minute, 60U);
    EXPECT_EQ(config.limits.start_timeout, std::chrono::seconds(300));
    EXPECT_EQ(config.models.default_model, "m");
    EXPECT_EQ(config.pull.endpoint, "https://hub");
}

TEST(EnvironmentTest, OurOwnNamesAreStronger) {
    const auto loaded = load({{"DEFAULT_MODEL", "theirs"}, {"ROUTERD_MODELS_DEFAULT", "ours"}});
    EXPECT_EQ(loaded.config.models.default_model, "ours");
}

TEST(EnvironmentTest, NotesWhatItCannotCarryOver) {
    const auto loaded = load({{"REDIS_URL", "redis://x"},
                              {"READINESS_CHECK_INTERVAL", "1"},
                              {"UPSTREAM_BASE_URL", "http://x"},
                              {"CONFIG_PATH", "/x/config.json"},
                              {"LLAMA_SERVER_HOST", ""}});
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_THAT(loaded.notes,
                testing::UnorderedElementsAre(HasSubstr("REDIS_URL is ignored"),
                                              HasSubstr("READINESS_CHECK_INTERVAL is ignored"),
                                              HasSubstr("UPSTREAM_BASE_URL is ignored"),
                                              HasSubstr("CONFIG_PATH is ignored")));
}

TEST(EnvironmentTest, ReportsATypingErrorInOurNamesAlone) {
    const auto loaded = load({{"ROUTERD_LOG_LEVLE", "info"},
                              {"ROUTERD_HOST", "unix:///x"},
                              {"ROUTERD_QUEUE_SIZE", "many"}});
    ASSERT_EQ(loaded.problems.size(), 2U);
    EXPECT_EQ(to_text(loaded.problems[0]),
              "environment ROUTERD_QUEUE_SIZE: 'queue.size': must be a whole number, not 'many'");
    EXPECT_EQ(to_text(loaded.problems[1]),
              "environment ROUTERD_LOG_LEVLE: unknown key 'log.levle' (did you mean "
              "'log.level'?)");
}

}  // namespace
}  // namespace routerd
