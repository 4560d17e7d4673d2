#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "common/base/text.hpp"
#include "daemon/backends/backend.hpp"
#include "daemon/backends/program.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

class LlamaServerTest : public testing::Test {
  protected:
    LlamaServerTest() {
        program_ = dir_.write("llama-server", "");
        std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
        config_.llama_server.path = program_;
        model_.id = "m";
        model_.files = {"/models/m.gguf"};
    }

    /// The arguments after "-m … --alias m --host … " as one line.
    std::string rest() const {
        const auto command = backend_.command_line(model_, config_, {"/run/m.sock", ""}, {});
        EXPECT_TRUE(command) << command.error().message();
        const auto line = join(command->argv, " ");
        const std::string head = program_ + " -m /models/m.gguf --alias m --host /run/m.sock ";
        EXPECT_THAT(line, testing::StartsWith(head));
        return line.substr(head.size());
    }

    TempDir dir_;
    std::string program_;
    Config config_;
    Model model_;
    const Backend& backend_ = *find_backend("llama-server");
};

TEST_F(LlamaServerTest, IsTheBackendOfModelsThatNameNone) {
    EXPECT_EQ(find_backend(""), &backend_);
    EXPECT_EQ(find_backend("nope"), nullptr);
}

TEST_F(LlamaServerTest, SaysWhatAPlainModelNeeds) {
    EXPECT_EQ(rest(), "-np 1 --no-webui");
    const auto command = backend_.command_line(model_, config_, {"", "9001"}, {});
    EXPECT_THAT(join(command->argv, " "), HasSubstr("--host 127.0.0.1 --port 9001 -np 1"));
    EXPECT_EQ(command->environment.at("GGML_NO_BACKTRACE"), "1");
}

TEST_F(LlamaServerTest, PutsEverySettingIntoAnArgument) {
    auto& settings = model_.settings;
    settings.parallel = 4;
    settings.context = 2048;
    settings.cache_type_k = "q8_0";
    settings.cache_type_v = "q4_0";
    settings.gpu_layers = -1;
    settings.devices = {"CUDA0", "CUDA1"};
    settings.lora = {"/a.gguf", "/b.gguf"};
    model_.mmproj = "/mm.gguf";
    EXPECT_EQ(rest(),
              "-np 4 -c 8192 -ctk q8_0 -ctv q4_0 -ngl 999 -dev CUDA0,CUDA1 "
              "--mmproj /mm.gguf --lora /a.gguf,/b.gguf --no-webui");
    EXPECT_EQ(backend_.slots(model_, config_), 4U);
    EXPECT_EQ(backend_.context(model_, config_), 2048U);
}

/// Where a model lies, what is asked for, and what the server is told.
struct PlanCase {
    const char* name;
    DevicePlan plan;
    const char* arguments;
    std::map<std::string, std::string> environment;
};

void PrintTo(const PlanCase& test, std::ostream* to) {
    *to << test.name;
}

DevicePlan::Gpu gpu(DeviceKind kind, const std::string& visible_as, std::uint64_t share = 1) {
    return {.device = "any", .kind = kind, .visible_as = visible_as, .share = share};
}

DevicePlan plan_on(std::set<DeviceKind> kinds, std::vector<DevicePlan::Gpu> gpus,
                   std::optional<std::uint64_t> layers = std::nullopt) {
    return {
        .kinds = std::move(kinds), .decided = true, .gpus = std::move(gpus), .gpu_layers = layers};
}

class PlanTest : public LlamaServerTest, public testing::WithParamInterface<PlanCase> {};

TEST_P(PlanTest, TellsTheServer) {
    model_.settings.gpu_layers = 7;
    model_.settings.devices = {"cuda0"};
    const auto command =
        backend_.command_line(model_, config_, {"/run/m.sock", ""}, GetParam().plan);
    ASSERT_TRUE(command);
    auto environment = command->environment;
    environment.erase("GGML_NO_BACKTRACE");
    EXPECT_EQ(join(command->argv, " "),
              program_ + " -m /models/m.gguf --alias m --host /run/m.sock -np 1" +
                  GetParam().arguments + " --no-webui");
    EXPECT_EQ(environment, GetParam().environment);
}

constexpr auto nvidia = DeviceKind::nvidia;
constexpr auto amd = DeviceKind::amd;

INSTANTIATE_TEST_SUITE_P(
    Kinds, PlanTest,
    testing::Values(
        PlanCase{"NothingIsChosen", {}, " -ngl 7 -dev cuda0", {}},
        PlanCase{"TheUserChose",
                 {.kinds = {nvidia}, .gpus = {gpu(nvidia, "GPU-1")}, .gpu_layers = {}},
                 " -ngl 7 -dev cuda0",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}}},
        PlanCase{"OneGpu",
                 plan_on({nvidia}, {gpu(nvidia, "GPU-1")}),
                 " -ngl 999",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}, {"CUDA_VISIBLE_DEVICES", "GPU-1"}}},
        PlanCase{"ASplit",
                 plan_on({nvidia}, {gpu(nvidia, "GPU-1", 8000), gpu(nvidia, "GPU-3", 24000)}),
                 " -ngl 999 -ts 8000,24000",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}, {"CUDA_VISIBLE_DEVICES", "GPU-1,GPU-3"}}},
        PlanCase{"SomeLayers",
                 plan_on({nvidia}, {gpu(nvidia, "GPU-1")}, 12),
                 " -ngl 12",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}, {"CUDA_VISIBLE_DEVICES", "GPU-1"}}},
        PlanCase{"TheHost",
                 plan_on({nvidia, amd}, {}),
                 " -ngl 0",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
                  {"CUDA_VISIBLE_DEVICES", ""},
                  {"ROCR_VISIBLE_DEVICES", ""}}},
        PlanCase{"AnAmdGpuBesideOthers",
                 plan_on({nvidia, amd}, {gpu(amd, "GPU-deadbeef")}),
                 " -ngl 999",
                 {{"CUDA_DEVICE_ORDER", "PCI_BUS_ID"},
                  {"CUDA_VISIBLE_DEVICES", ""},
                  {"ROCR_VISIBLE_DEVICES", "GPU-deadbeef"}}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(LlamaServerTest, TheUsersOwnVariablesStayAndAreNotGuessedAt) {
    model_.settings.env["CUDA_VISIBLE_DEVICES"] = "1";
    const auto command = backend_.command_line(model_, config_, {"", "1"},
                                               plan_on({nvidia}, {gpu(nvidia, "GPU-0")}));
    EXPECT_EQ(command->environment.at("CUDA_VISIBLE_DEVICES"), "1");
    EXPECT_EQ(backend_.launch_parameters(*command)->placed, Placed::unreadable);
    model_.settings.env.clear();
    model_.settings.args = {"-ngl", "3"};
    const auto own = backend_.command_line(model_, config_, {"", "1"}, {});
    EXPECT_EQ(backend_.launch_parameters(*own)->placed, Placed::by_arguments);
    EXPECT_EQ(backend_.launch_parameters(*own)->program, program_);
}

TEST_F(LlamaServerTest, NoneMeansNoGpu) {
    model_.settings.devices = {"host"};
    EXPECT_EQ(rest(), "-np 1 -dev none --no-webui");
}

TEST_F(LlamaServerTest, LetsTheUsersArgumentsComeLast) {
    config_.llama_server.args = {"-t", "1"};
    model_.settings.args = {"-np", "3", "-c", "6000"};
    EXPECT_EQ(rest(), "-np 1 --no-webui -t 1 -np 3 -c 6000");
    EXPECT_EQ(backend_.slots(model_, config_), 3U);
    EXPECT_EQ(backend_.context(model_, config_), 2000U);
}

TEST_F(LlamaServerTest, TurnsOnWhatEmbeddingAndRerankingNeed) {
    model_.capabilities.embedding = true;
    model_.metadata.context_length = 2048;
    EXPECT_EQ(rest(), "-np 1 --embeddings --pooling mean -b 2048 -ub 2048 --no-webui");
    model_.metadata.pooling_type = 2;
    model_.metadata.context_length = 512;
    EXPECT_EQ(rest(), "-np 1 --embeddings --no-webui");
    model_.capabilities.rerank = true;
    EXPECT_EQ(rest(), "-np 1 --reranking --no-webui");
    model_.metadata.context_length = 2048;
    EXPECT_EQ(rest(), "-np 1 --reranking -b 2048 -ub 2048 --no-webui");
}

TEST_F(LlamaServerTest, RefusesArgumentsThatTheRouterMustDecide) {
    for (const auto* word : {"--host", "--port=1", "-m", "--alias", "--api-key"}) {
        model_.settings.args = {word, "x"};
        const auto command = backend_.command_line(model_, config_, {"/run/m.sock", ""}, {});
        ASSERT_FALSE(command) << word;
        EXPECT_THAT(command.error().message(), HasSubstr("the router decides it"));
    }
}

TEST_F(LlamaServerTest, ReadsLevelsAndProgress) {
    EXPECT_TRUE(backend_.read_line("0.00.013.796 E cmn  common_init_: failed").is_error);
    EXPECT_FALSE(backend_.read_line("0.00.013.796 I srv: no error here").is_error);
    EXPECT_TRUE(backend_.read_line("error: invalid argument: --x").is_error);
    EXPECT_TRUE(backend_.read_line("GGML_ASSERT(x) failed").is_error);
    EXPECT_EQ(backend_.read_line("load_tensors: loading 42 %").loaded_percent, 42U);
    EXPECT_EQ(backend_.read_line("0.01.000.000 I load progress: 7.5%").loaded_percent, 7U);
    EXPECT_EQ(backend_.read_line("0.01.000.000 I loaded 300%").loaded_percent, std::nullopt);
    EXPECT_EQ(backend_.read_line("memory 42 %").loaded_percent, std::nullopt);
}

TEST_F(LlamaServerTest, ExplainsAnEndByItsMostTellingLine) {
    ExitStatus status;
    status.code = 1;
    EXPECT_EQ(backend_.explain_exit(
                  status, {"0.00.013.795 E llama_model_load_from_file_impl: failed to load model",
                           "0.00.013.798 E srv    load_model: failed to load model, '/nope.gguf'",
                           "0.00.014.102 E srv  llama_server: exiting due to model loading error"}),
              "exit status 1: srv    load_model: failed to load model, '/nope.gguf'");
    EXPECT_EQ(backend_.explain_exit(status, {}), "exit status 1");
    EXPECT_EQ(backend_.explain_exit(status, {"some last words"}), "exit status 1: some last words");
    status.code = 127;
    EXPECT_THAT(backend_.explain_exit(status, {}), HasSubstr("a library that it needs"));
    status.code.reset();
    status.signal = 9;
    EXPECT_THAT(backend_.explain_exit(status, {}), HasSubstr("memory ran out"));
}

TEST_F(LlamaServerTest, ReadsWhatAServerSaysOfItself) {
    EXPECT_EQ(backend_.read_context(R"({"default_generation_settings":{"n_ctx":4096}})"), 4096U);
    EXPECT_EQ(backend_.read_context("[]"), std::nullopt);
    EXPECT_EQ(backend_.read_context("no JSON"), std::nullopt);
    EXPECT_TRUE(backend_.is_port_taken({"E start: couldn't bind HTTP server socket"}));
    EXPECT_FALSE(backend_.is_port_taken({"E failed to load model"}));
}

TEST(ProgramTest, IsLookedUpInPathAndSaysWhereItLooked) {
    const TempDir dir;
    const auto program = dir.write("some-server", "");
    const std::string path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
    ::setenv("PATH", ("/nowhere:" + dir.path()).c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    const auto missing = find_program("some-server", "[llama_server] path");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const auto found = find_program("some-server", "[llama_server] path");
    ::setenv("PATH", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message(), HasSubstr("in PATH (/nowhere:" + dir.path() + ")"));
    EXPECT_THAT(missing.error().hint(), HasSubstr("[llama_server] path"));
    EXPECT_EQ(*found, program);
}

}  // namespace
}  // namespace routerd::test
