#include "common/config/load.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> problems_of(const LoadedConfig& loaded) {
    std::vector<std::string> texts;
    for (const auto& problem : loaded.problems) {
        texts.push_back(to_text(problem));
    }
    return texts;
}

ConfigValue value_of(const LoadedConfig& loaded, const std::string& key) {
    for (const auto& value : loaded.values) {
        if (value.key == key) {
            return value;
        }
    }
    return {};
}

TEST(LoadTest, AnEmptyFileIsTheDefaults) {
    const auto loaded = load_config_text("", "f");
    EXPECT_THAT(problems_of(loaded), IsEmpty());
    EXPECT_THAT(loaded.config.http.listen, ElementsAre("127.0.0.1:8080"));
    EXPECT_EQ(loaded.config.state.dir, "/var/lib/routerd");
    EXPECT_THAT(loaded.config.models.dirs, ElementsAre("/var/lib/routerd/models"));
    EXPECT_EQ(value_of(loaded, "http.max_body").value, "\"64MiB\"");
    EXPECT_EQ(value_of(loaded, "http.max_body").origin, "default");
    EXPECT_EQ(value_of(loaded, "state.socket").value, "\"/run/routerd/routerd.sock\"");
}

TEST(LoadTest, ReadsEveryKindOfValue) {
    const auto loaded = load_config_text(R"(
[http]
listen = ["127.0.0.1:0", "[::1]:8080", "unix:///run/r.sock"]
max_body = "2GiB"
idle_timeout = "1m30s"
header_timeout = 5
[models]
watch = false
stores = []
[memory]
reserve = { host = "2GiB", cuda0 = 1024 }
budget = "host=8GiB"
safety_factor = 2
[limits]
max_loaded = 3
[llama_server]
listen = "tcp"
args = ["-t", "1"]
[log]
level = "DEBUG"
[tiers]
fast_below = 3.5
)",
                                         "f");
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    const auto& config = loaded.config;
    EXPECT_EQ(config.http.listen.size(), 3U);
    EXPECT_EQ(config.http.max_body, 2ULL << 30U);
    EXPECT_EQ(config.http.idle_timeout, 90s);
    EXPECT_EQ(config.http.header_timeout, 5s);
    EXPECT_FALSE(config.models.watch);
    EXPECT_THAT(config.models.stores, IsEmpty());
    EXPECT_EQ(config.memory.reserve.at("host"), 2ULL << 30U);
    EXPECT_EQ(config.memory.reserve.at("cuda0"), 1024U);
    EXPECT_EQ(config.memory.budget.at("host"), 8ULL << 30U);
    EXPECT_EQ(config.memory.safety_factor, 2);
    EXPECT_EQ(config.limits.max_loaded, 3U);
    EXPECT_EQ(config.llama_server.listen, ServerListen::tcp);
    EXPECT_THAT(config.llama_server.args, ElementsAre("-t", "1"));
    EXPECT_EQ(config.log.level, "debug");
    EXPECT_EQ(config.tiers.fast_below, 3.5);
    EXPECT_EQ(value_of(loaded, "http.idle_timeout").value, "\"90s\"");
    EXPECT_EQ(value_of(loaded, "http.idle_timeout").origin, "f:5");
    EXPECT_EQ(value_of(loaded, "llama_server.args").value, R"(["-t", "1"])");
}

TEST(LoadTest, ReadsWhereAModelIsElsewhere) {
    const auto loaded = load_config_text(R"(
[model."far"]
url = "https://example.org:8443/team/v1"
key_file = "/etc/key"
remote_model = "org/name"
[model."near"]
backend = "remote"
url = "http://[::1]:8080"
)",
                                         "f");
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    EXPECT_EQ(loaded.config.model.at("far").url, "https://example.org:8443/team/v1");
    EXPECT_EQ(value_of(loaded, "model.\"far\".url").origin, "f:3");
}

TEST(LoadTest, NotesAKeyThatCanBeReadOnTheWay) {
    const auto notes = [](const std::string& url) {
        const auto loaded =
            load_config_text("[model.m]\nkey_file = \"/k\"\nurl = \"" + url + "\"", "f");
        return loaded.notes.size();
    };
    EXPECT_EQ(notes("http://example.org"), 1U);
    EXPECT_EQ(notes("http://127.example.org"), 1U);
    EXPECT_EQ(notes("https://example.org"), 0U);
    EXPECT_EQ(notes("http://localhost:8080"), 0U);
    EXPECT_EQ(notes("http://127.0.0.9"), 0U);
    EXPECT_EQ(notes("http://[::1]:8080"), 0U);
}

TEST(LoadTest, RefusesAModelThatIsHereAndElsewhere) {
    const auto problem = [](const std::string& keys) {
        const auto problems = problems_of(load_config_text("[model.m]\n" + keys, "f"));
        return problems.size() == 1 ? problems.front() : std::to_string(problems.size());
    };
    EXPECT_THAT(problem("backend = \"remote\""), HasSubstr("f:2: 'model.\"m\".backend' is remote"));
    EXPECT_THAT(problem("url = \"http://h\"\nbackend = \"llama-server\""),
                HasSubstr("f:2: 'model.\"m\".url' is set for a model that llama-server runs here"));
    EXPECT_THAT(problem("url = \"http://h\"\npath = \"/m.gguf\""), HasSubstr("beside 'path'"));
    EXPECT_THAT(problem("key_file = \"/k\""), HasSubstr("key_file' is set and there is no url"));
    EXPECT_THAT(problem("ca_file = \"/c\""), HasSubstr("ca_file' is set and there is no url"));
    EXPECT_THAT(problem("remote_model = \"x\""), HasSubstr("there is no url"));
    EXPECT_THAT(problem("url = \"http://h\"\nca_file = \"/c\""),
                HasSubstr("f:3: 'model.\"m\".ca_file' is set and the url begins with http://"));
    EXPECT_THAT(problem("url = \"example.org\""), HasSubstr("does not begin with https://"));
    EXPECT_THAT(problem("url = \"http://u:p@h\""), HasSubstr("a user or password"));
    EXPECT_THAT(problem("url = \"http://h/?a=b\""), HasSubstr("must not have a query"));
    EXPECT_THAT(problem("url = \"http://h\"\nkey_file = \"\""), HasSubstr("must not be empty"));
}

TEST(LoadTest, ReadsTheKeysOfAModel) {
    const auto loaded = load_config_text(R"(
[model."qwen3-8b"]
context = 8192
aliases = ["q", "qwen"]
tier = "fast"
idle_unload = "1h"
[model."qwen3-8b".set]
temperature = 0.2
stop = ["a", "b"]
grammar = "x"
[model."qwen3-8b".env]
OMP_NUM_THREADS = "1"
)",
                                         "f");
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    const auto& model = loaded.config.model.at("qwen3-8b");
    EXPECT_EQ(model.context, 8192U);
    EXPECT_EQ(model.tier, Tier::fast);
    EXPECT_EQ(model.idle_unload, Duration(1h));
    EXPECT_EQ(model.set.at("temperature"), "0.2");
    EXPECT_EQ(model.set.at("stop"), R"(["a","b"])");
    EXPECT_EQ(model.set.at("grammar"), R"("x")");
    EXPECT_EQ(model.env.at("OMP_NUM_THREADS"), "1");
    EXPECT_EQ(value_of(loaded, R"(model."qwen3-8b".context)").origin, "f:3");
    EXPECT_EQ(value_of(loaded, R"(model."qwen3-8b".set.temperature)").origin, "f:8");
}

TEST(LoadTest, ReportsEveryProblemWithItsPlaceAndWhatWasMeant) {
    const auto loaded = load_config_text(R"([http]
lisen = ["127.0.0.1:1"]
workers = 300
max_body = true
listen = ["nonsense"]
parallel = 2
[limit]
idle_unload = "1h"
[limits]
idle_unload = "soon"
[model.x]
contxt = 5
context = "many"
)",
                                         "f.toml");
    EXPECT_THAT(
        problems_of(loaded),
        testing::UnorderedElementsAre(
            "f.toml:2:1: unknown key 'http.lisen' (did you mean 'http.listen'?)",
            "f.toml:3:11: 'http.workers': must be from 0 to 256, not 300",
            "f.toml:4:12: 'http.max_body': must be a size (examples: \"64MiB\", \"2GiB\"), not "
            "true "
            "or false",
            "f.toml:5:10: 'http.listen': 'nonsense' is no address (examples: 127.0.0.1:8080, "
            "https://[::1]:8443, unix:///run/r.sock)",
            "f.toml:6:1: unknown key 'http.parallel' (did you mean 'limits.parallel'?)",
            "f.toml:7:2: unknown section 'limit' (did you mean 'limits'?)",
            "f.toml:10:15: 'limits.idle_unload': 'soon' is not a duration (examples: 250ms, 5s, "
            "10m, 1h)",
            "f.toml:12:1: unknown key 'contxt' of model \"x\" (did you mean 'context'?)",
            "f.toml:13:11: model.\"x\".context: must be a whole number, not a string"));
}

constexpr const char* with_certificate =
    "tls_certificate = \"/etc/c.pem\"\ntls_key = \"/etc/c.key\"\n";

TEST(LoadTest, TakesAddressesWithTls) {
    const auto loaded = load_config_text(
        std::string("[http]\nlisten = [\"https://127.0.0.1:8443\", \"http://[::1]:1\"]\n") +
            with_certificate,
        "f");
    EXPECT_THAT(problems_of(loaded), testing::IsEmpty());
    EXPECT_THAT(loaded.notes, testing::IsEmpty());
    EXPECT_EQ(loaded.config.http.tls_key, "/etc/c.key");
}

TEST(LoadTest, SaysThatNothingUsesACertificate) {
    const auto loaded = load_config_text(std::string("[http]\n") + with_certificate, "f");
    EXPECT_THAT(problems_of(loaded), testing::IsEmpty());
    EXPECT_THAT(loaded.notes, testing::ElementsAre(HasSubstr("nothing speaks TLS")));
}

TEST(LoadTest, SaysThatAPublicAddressNeedsAKeyFromElsewhere) {
    for (const auto* address : {"0.0.0.0:80", "https://0.0.0.0:1"}) {
        const auto loaded =
            load_config_text("[http]\ntls_certificate = \"/c\"\ntls_key = \"/k\"\nlisten = [\"" +
                                 std::string(address) + "\", \"https://127.0.0.1:1\"]",
                             "f");
        EXPECT_THAT(problems_of(loaded), testing::IsEmpty());
        EXPECT_THAT(loaded.notes, testing::ElementsAre(HasSubstr("routerctl keys create")));
    }
    const auto with_key = load_config_text(
        "[http]\nlisten = [\"0.0.0.0:80\"]\n[auth]\napi_key = \"sk-0123456789abcdef\"", "f");
    EXPECT_THAT(with_key.notes, testing::IsEmpty());
}

struct BadText {
    const char* name;
    const char* text;
    const char* complaint;
};

class BadTextTest : public testing::TestWithParam<BadText> {};

TEST_P(BadTextTest, IsRefusedWithAReason) {
    const auto loaded = load_config_text(GetParam().text, "f");
    ASSERT_FALSE(loaded.usable());
    EXPECT_THAT(to_text(loaded.problems.front()), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    LoadTest, BadTextTest,
    testing::Values(
        BadText{"Syntax", "[http\n", "f:1:6: not TOML"},
        BadText{"NoCertificate", "[http]\nlisten = [\"https://127.0.0.1:1\"]",
                "'https://127.0.0.1:1' needs a certificate and its key, and there are none"},
        BadText{"NoKey", "[http]\ntls_certificate = \"/etc/c.pem\"",
                "f:2: 'http.tls_certificate' is set and 'http.tls_key' is not"},
        BadText{"TlsOnASocket", "[http]\nlisten = [\"https://unix:///run/x\"]", "is no address"},
        BadText{"NotASection", "http = 1", "'http' must be a section, not a whole number"},
        BadText{"KeyOutside", "listen = []", "unknown key outside a section 'listen'"},
        BadText{"ModelNotATable", "[model]\nx = 1", "must be the section of a model"},
        BadText{"NamelessEntry", "[model.a.set]\n\"\" = 1", "an entry has no name"},
        BadText{"NamelessTable", "[model.a.env.\"\"]\nb = 1", "an entry has no name"},
        BadText{"Negative", "[limits]\nmax_loaded = -1", "must be from 0 to 10000, not -1"},
        BadText{"Huge", "[queue]\nsize = 99999999999999", "must be from 0 to 1000000"},
        BadText{"Fraction", "[limits]\nparallel = 1.5", "not a number with a fraction"},
        BadText{"Date", "[log]\nlevel = 2020-01-01", "must be a string, not a date or time"},
        BadText{"Infinite", "[memory]\nsafety_factor = inf", "must be a number"},
        BadText{"Choice", "[log]\nlevel = \"loud\"", "must be one of trace, debug, info"},
        BadText{"Store", "[models]\nstores = [\"npm\"]", "must be one of huggingface"},
        BadText{"Mixed", "[models]\ndirs = [\"a\", 1]", "item 2: must be a string"},
        BadText{"Bool", "[models]\nwatch = \"true\"", "must be true or false, not a string"},
        BadText{"Tiers", "[tiers]\nfast_below = 20", "above 'tiers.powerful_from'"},
        BadText{"Port", "[http]\nlisten = [\"127.0.0.1:70000\"]", "is no address"},
        BadText{"CommandLineOnly", "[http]\ninsecure_no_auth = true", "on the command line only"},
        BadText{"Alias", "[model.a]\naliases = [\"a b\"]", "cannot be an alias"},
        BadText{"Sizes", "[memory]\nbudget = { host = \"much\" }", "host: 'much' is not a size"}),
    [](const auto& tested) { return std::string(tested.param.name); });

class LoadFilesTest : public testing::Test {
  protected:
    LoadOptions options() const {
        LoadOptions options;
        options.user = true;
        options.environment = {{"HOME", dir_.path()}, {"XDG_CONFIG_HOME", dir_ / "config"}};
        return options;
    }

    test::TempDir dir_;
};

TEST_F(LoadFilesTest, LaterSourcesWin) {
    const auto main = dir_.write("config/routerd/routerd.toml",
                                 "[limits]\nparallel = 2\nmax_loaded = 2\n[queue]\nsize = 2\n");
    const auto second = dir_.write("config/routerd/conf.d/20.toml", "[limits]\nparallel = 4\n");
    const auto first =
        dir_.write("config/routerd/conf.d/10.toml", "[limits]\nparallel = 3\nmax_loaded = 3\n");
    dir_.write("config/routerd/conf.d/30.toml.bak", "nonsense");
    auto options = this->options();
    options.environment["ROUTERD_QUEUE_SIZE"] = "5";
    options.environment["ROUTERD_LOG_LEVEL"] = "warn";
    options.overrides = {{"log.level", "error"}};
    const auto loaded = load_config(options);
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    EXPECT_THAT(loaded.files, ElementsAre(main, first, second));
    EXPECT_EQ(loaded.config.limits.parallel, 4U);
    EXPECT_EQ(value_of(loaded, "limits.parallel").origin, second + ":2");
    EXPECT_EQ(value_of(loaded, "limits.max_loaded").origin, first + ":3");
    EXPECT_EQ(value_of(loaded, "queue.size").origin, "environment ROUTERD_QUEUE_SIZE");
    EXPECT_EQ(value_of(loaded, "log.level").origin, "command line");
    EXPECT_EQ(loaded.config.log.level, "error");
}

TEST_F(LoadFilesTest, AFileThatIsNamedMustBeThere) {
    auto options = this->options();
    options.file = dir_ / "none.toml";
    const auto loaded = load_config(options);
    EXPECT_THAT(problems_of(loaded),
                ElementsAre(dir_ / "none.toml: cannot be read: No such file or directory"));
}

TEST_F(LoadFilesTest, AFileThatIsNamedStandsAlone) {
    dir_.write("config/routerd/routerd.toml", "[limits]\nparallel = 2\n");
    auto options = this->options();
    options.file = dir_.write("mine.toml", "");
    EXPECT_EQ(load_config(options).config.limits.parallel, 1U);
}

TEST_F(LoadFilesTest, ProblemsOfAllSourcesComeTogether) {
    dir_.write("config/routerd/routerd.toml", "[limits]\nparalel = 2\n");
    std::filesystem::create_directories(dir_ / "config/routerd/conf.d/a.toml");
    auto options = this->options();
    options.environment["ROUTERD_HTTP_LISEN"] = "x";
    options.overrides = {{"log.level", "loud"}};
    EXPECT_THAT(problems_of(load_config(options)),
                ElementsAre(HasSubstr("routerd.toml:2:1: unknown key 'limits.paralel'"),
                            HasSubstr("a.toml: is not a regular file"),
                            HasSubstr("environment ROUTERD_HTTP_LISEN: unknown key 'http.lisen'"),
                            HasSubstr("command line: 'log.level': must be one of")));
}

TEST_F(LoadFilesTest, FillsInWhatDependsOnTheUser) {
    dir_.write("config/routerd/routerd.toml", "[models]\ndirs = [\"~/m\", \"/n\"]\n");
    auto options = this->options();
    options.environment["XDG_RUNTIME_DIR"] = "/run/user/7";
    const auto loaded = load_config(options);
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    EXPECT_THAT(loaded.config.models.dirs, ElementsAre(dir_ / "m", "/n"));
    EXPECT_EQ(loaded.config.state.dir, dir_ / ".local/state/routerd");
    EXPECT_EQ(loaded.config.state.socket, "/run/user/7/routerd.sock");
    EXPECT_EQ(loaded.config.pull.dir, dir_ / "m");
}

TEST_F(LoadFilesTest, HidesSecrets) {
    auto options = this->options();
    options.environment["API_KEY"] = "sesame";
    const auto loaded = load_config(options);
    EXPECT_EQ(loaded.config.auth.api_key, "sesame");
    EXPECT_EQ(value_of(loaded, "auth.api_key").value, "(hidden)");
    EXPECT_EQ(value_of(loaded, "auth.api_key").origin, "environment API_KEY");
}

TEST_F(LoadFilesTest, AKeyOpensTheDoorToOtherMachines) {
    auto options = this->options();
    options.overrides = {{"http.listen", "0.0.0.0:8080"}};
    EXPECT_THAT(load_config(options).notes, testing::SizeIs(1));
    options.overrides.emplace_back("http.insecure_no_auth", "true");
    EXPECT_THAT(load_config(options).notes, testing::IsEmpty());
    options.overrides = {{"http.listen", "0.0.0.0:8080"}, {"auth.api_key", "k"}};
    EXPECT_THAT(load_config(options).notes, testing::IsEmpty());
}

}  // namespace
}  // namespace routerd
