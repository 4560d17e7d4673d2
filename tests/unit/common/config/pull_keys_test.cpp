#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/load.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LoadedConfig load_pull(const std::string& lines) {
    return load_config_text("[pull]\n" + lines, "f");
}

LoadedConfig load_pull_from(Environment environment) {
    environment["HOME"] = "/home/u";
    return load_config({.user = true, .file = {}, .environment = environment, .overrides = {}});
}

std::string shown(const LoadedConfig& loaded, const std::string& key) {
    for (const auto& value : loaded.values) {
        if (value.key == key) {
            return value.value;
        }
    }
    return "";
}

TEST(PullKeysTest, DefaultsTrustNobodyElse) {
    const auto config = load_pull("").config.pull;
    EXPECT_EQ(config.connections, 8U);
    EXPECT_EQ(config.limit_rate, 0U);
    EXPECT_EQ(config.stall_timeout, 30s);
    EXPECT_EQ(config.layout, PullLayout::plain);
    EXPECT_THAT(config.allow, IsEmpty());
    for (const auto& text :
         {config.endpoint, config.ollama_endpoint, config.token, config.token_file, config.proxy}) {
        EXPECT_EQ(text, "");
    }
}

TEST(PullKeysTest, AreReadFromTheFile) {
    const auto loaded = load_pull(R"(dir = "/srv/models"
connections = 4
limit_rate = "20M"
endpoint = "https://mirror.example"
ollama_endpoint = "http://10.0.0.5:5000"
allow = ["cdn.example", "*.example.org", "http://10.0.0.5:8000"]
token_file = "/etc/routerd/token"
proxy = "http://proxy.example:3128"
stall_timeout = "2s"
layout = "hub"
)");
    ASSERT_THAT(loaded.problems, IsEmpty());
    const auto& config = loaded.config.pull;
    EXPECT_EQ(config.dir, "/srv/models");
    EXPECT_EQ(config.connections, 4U);
    EXPECT_GT(config.limit_rate, 0U);
    EXPECT_EQ(config.endpoint, "https://mirror.example");
    EXPECT_EQ(config.ollama_endpoint, "http://10.0.0.5:5000");
    EXPECT_THAT(config.allow, ElementsAre("cdn.example", "*.example.org", "http://10.0.0.5:8000"));
    EXPECT_EQ(config.token_file, "/etc/routerd/token");
    EXPECT_EQ(config.proxy, "http://proxy.example:3128");
    EXPECT_EQ(config.stall_timeout, 2s);
    EXPECT_EQ(config.layout, PullLayout::hub);
    EXPECT_EQ(shown(loaded, "pull.layout"), "\"hub\"");
    EXPECT_EQ(shown(loaded, "pull.stall_timeout"), "\"2s\"");
}

TEST(PullKeysTest, TheTokenIsReadAndNeverShown) {
    const auto loaded = load_pull("token = \"hf_0123456789abcdef\"\n");
    ASSERT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config.pull.token, "hf_0123456789abcdef");
    for (const auto& value : loaded.values) {
        EXPECT_THAT(value.value, Not(HasSubstr("hf_0123456789abcdef"))) << value.key;
    }
    EXPECT_EQ(shown(loaded, "pull.token"), "(hidden)");
}

TEST(PullKeysTest, FilesMayBeBelowTheHome) {
    const auto loaded =
        load_pull_from({{"ROUTERD_PULL_TOKEN_FILE", "~/token"}, {"ROUTERD_PULL_DIR", "~/m"}});
    ASSERT_THAT(loaded.problems, IsEmpty());
    EXPECT_EQ(loaded.config.pull.token_file, "/home/u/token");
    EXPECT_EQ(loaded.config.pull.dir, "/home/u/m");
}

TEST(PullKeysTest, TheHubsOwnVariablesAreTaken) {
    const auto loaded =
        load_pull_from({{"HF_TOKEN", "hf_0123456789abcdef"}, {"HF_ENDPOINT", "https://hub"}});
    ASSERT_THAT(loaded.problems, IsEmpty());
    EXPECT_THAT(loaded.notes, IsEmpty());
    EXPECT_EQ(loaded.config.pull.token, "hf_0123456789abcdef");
    EXPECT_EQ(loaded.config.pull.endpoint, "https://hub");
    EXPECT_EQ(shown(loaded, "pull.token"), "(hidden)");
}

TEST(PullKeysTest, OurOwnVariablesAreStronger) {
    const auto loaded = load_pull_from(
        {{"HF_TOKEN", "hf_0123456789abcdef"}, {"ROUTERD_PULL_TOKEN", "hf_fedcba9876543210"}});
    EXPECT_EQ(loaded.config.pull.token, "hf_fedcba9876543210");
}

struct BadLine {
    const char* name;
    const char* line;
    const char* complaint;
};

class BadPullLineTest : public testing::TestWithParam<BadLine> {};

TEST_P(BadPullLineTest, IsRefusedWithAReason) {
    const auto loaded = load_pull(GetParam().line);
    ASSERT_FALSE(loaded.usable());
    EXPECT_THAT(to_text(loaded.problems.front()), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPullLineTest,
    testing::Values(
        BadLine{"UnknownLayout", "layout = \"flat\"", "pull.layout"},
        BadLine{"EmptyAllow", "allow = [\"\"]", "must be a host, *.domain or an origin"},
        BadLine{"TwoInOneAllow", "allow = [\"a.example b.example\"]", "must be a host"},
        BadLine{"ProxyWithoutScheme", "proxy = \"proxy:3128\"", "must be a URL"},
        BadLine{"EndpointOfAFile", "endpoint = \"file:///x\"", "must be a URL"},
        BadLine{"RegistryWithoutScheme", "ollama_endpoint = \"host:5000\"", "must be a URL"},
        BadLine{"NoStallTimeout", "stall_timeout = 0", "pull.stall_timeout"},
        BadLine{"NoConnections", "connections = 0", "pull.connections"},
        BadLine{"TooManyConnections", "connections = 65", "pull.connections"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace routerd
