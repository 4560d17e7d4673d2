#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

struct GoldenCase {
    const char* name;  ///< of the test and of the golden file
    std::vector<std::string> arguments;
    const char* request;
    const char* answer;  ///< in tests/golden/routerctl/answers
};

class GoldenTest : public CtlTest, public testing::WithParamInterface<GoldenCase> {};

TEST_P(GoldenTest, PrintsWhatItAlwaysDid) {
    const auto& row = GetParam();
    daemon_.answer_json(row.request,
                        source_file("tests/golden/routerctl/answers/" + std::string(row.answer)));
    const auto outcome = ctl(row.arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    expect_golden(std::string(row.name) + ".txt", outcome.out);
}

constexpr const char* list_models = "GET /control/v1/models";
constexpr const char* list_instances = "GET /control/v1/instances";
constexpr const char* get_memory = "GET /control/v1/memory";
constexpr const char* post_estimate = "POST /control/v1/estimate";
constexpr const char* list_queue = "GET /control/v1/queue";
constexpr const char* list_requests = "GET /control/v1/requests?limit=50";
constexpr const char* explain_model = "GET /control/v1/explain?name=qwen3-8b";
constexpr const char* list_pulls = "GET /control/v1/pulls";
constexpr const char* get_model = "GET /control/v1/models/qwen3-8b";

INSTANTIATE_TEST_SUITE_P(
    All, GoldenTest,
    testing::Values(
        GoldenCase{"ls", {"ls"}, list_models, "models.json"},
        GoldenCase{"ls_wide", {"ls", "--format", "wide"}, list_models, "models.json"},
        GoldenCase{"ls_json", {"--json", "ls"}, list_models, "models.json"},
        GoldenCase{"ls_quiet", {"ls", "-q"}, list_models, "models.json"},
        GoldenCase{
            "ls_filter", {"ls", "--filter", "capabilities=vision"}, list_models, "models.json"},
        GoldenCase{"ls_template",
                   {"ls", "--format", "{{.ID}}\\t{{join .aliases \",\"}}"},
                   list_models,
                   "models.json"},
        GoldenCase{"ls_table_template",
                   {"ls", "--format", "table {{.id}}\\t{{upper .tier}}"},
                   list_models,
                   "models.json"},
        GoldenCase{"ps", {"ps"}, list_instances, "instances.json"},
        GoldenCase{
            "ps_wide", {"ps", "--format=wide", "--no-trunc"}, list_instances, "instances.json"},
        GoldenCase{"ps_json", {"ps", "--format", "json"}, list_instances, "instances.json"},
        GoldenCase{"show", {"show", "qwen3-8b"}, get_model, "model.json"},
        GoldenCase{"show_gguf", {"show", "--gguf", "qwen3-8b"}, get_model, "model.json"},
        GoldenCase{"show_cmdline", {"show", "qwen3-8b", "--cmdline"}, get_model, "model.json"},
        GoldenCase{"show_overrides", {"show", "qwen3-8b", "--overrides"}, get_model, "model.json"},
        GoldenCase{"show_json", {"show", "qwen3-8b", "--json"}, get_model, "model.json"},
        GoldenCase{"status", {"status"}, "GET /control/v1/status", "status.json"},
        GoldenCase{"switch_dry_run",
                   {"switch", "--dry-run", "qwen3-8b"},
                   "POST /control/v1/switch",
                   "plan.json"},
        GoldenCase{"rescan", {"rescan"}, "POST /control/v1/rescan", "rescan.json"},
        GoldenCase{"events", {"events"}, "GET /control/v1/events?limit=100", "events.json"},
        GoldenCase{
            "events_json", {"events", "--json"}, "GET /control/v1/events?limit=100", "events.json"},
        GoldenCase{"memory", {"memory"}, get_memory, "memory.json"},
        GoldenCase{"memory_wide", {"vram", "--format", "wide"}, get_memory, "memory.json"},
        GoldenCase{"memory_json", {"memory", "--json"}, get_memory, "memory.json"},
        GoldenCase{"memory_template",
                   {"memory", "--format", "{{.device}} {{.free_bytes}}"},
                   get_memory,
                   "memory.json"},
        GoldenCase{"estimate", {"estimate", "qwen3-8b"}, post_estimate, "estimate.json"},
        GoldenCase{"estimate_wide",
                   {"estimate", "qwen3-8b", "--format", "wide"},
                   post_estimate,
                   "estimate.json"},
        GoldenCase{
            "estimate_json", {"estimate", "qwen3-8b", "--json"}, post_estimate, "estimate.json"},
        GoldenCase{"queue", {"queue"}, list_queue, "queue.json"},
        GoldenCase{"queue_wide",
                   {"queue", "ls", "--format", "wide", "--no-trunc"},
                   list_queue,
                   "queue.json"},
        GoldenCase{"queue_quiet", {"queue", "ls", "-q"}, list_queue, "queue.json"},
        GoldenCase{"requests", {"requests"}, list_requests, "requests.json"},
        GoldenCase{"requests_wide",
                   {"requests", "--format", "wide", "--no-trunc"},
                   list_requests,
                   "requests.json"},
        GoldenCase{"requests_json", {"requests", "--json"}, list_requests, "requests.json"},
        GoldenCase{"requests_quiet",
                   {"requests", "-q", "-n", "7", "--model", "a/b", "--slow", "1.5s", "--failed"},
                   "GET /control/v1/requests?limit=7&model=a%2Fb&slow_ms=1500&failed=true",
                   "requests.json"},
        GoldenCase{"why", {"why", "qwen3-8b"}, explain_model, "decisions.json"},
        GoldenCase{
            "why_wide", {"why", "qwen3-8b", "--format", "wide"}, explain_model, "decisions.json"},
        GoldenCase{"why_json", {"why", "qwen3-8b", "--json"}, explain_model, "decisions.json"},
        GoldenCase{"logs",
                   {"logs", "-n", "2", "-t", "qwen3-8b"},
                   "GET /control/v1/models/qwen3-8b/logs?lines=2",
                   "logs.json"},
        GoldenCase{"logs_daemon",
                   {"logs", "--daemon", "--since", "10m"},
                   "GET /control/v1/logs?lines=50&since=2026-11-21T14%3A50%3A00.000Z",
                   "logs.json"},
        GoldenCase{"profile_ls", {"profile", "ls"}, "GET /control/v1/profiles", "profiles.json"},
        GoldenCase{"profile_show",
                   {"profile", "show", "night"},
                   "GET /control/v1/profiles/night",
                   "profile.json"},
        GoldenCase{"config_show", {"config", "show"}, "GET /control/v1/config", "config.json"},
        GoldenCase{
            "config_reload", {"config", "reload"}, "POST /control/v1/config/reload", "reload.json"},
        GoldenCase{"keys_ls", {"keys", "ls"}, "GET /control/v1/keys", "keys.json"},
        GoldenCase{"keys_quiet", {"keys", "ls", "-q"}, "GET /control/v1/keys", "keys.json"},
        GoldenCase{"keys_revoke",
                   {"keys", "revoke", "ci/2"},
                   "DELETE /control/v1/keys/ci%2F2",
                   "new_key.json"},
        GoldenCase{"pulls", {"pulls"}, list_pulls, "pulls.json"},
        GoldenCase{"pulls_wide",
                   {"pulls", "ls", "--format", "wide", "--no-trunc"},
                   list_pulls,
                   "pulls.json"},
        GoldenCase{"pulls_json", {"pulls", "--json"}, list_pulls, "pulls.json"},
        GoldenCase{"pulls_quiet", {"pulls", "ls", "-q"}, list_pulls, "pulls.json"},
        GoldenCase{"rm_json",
                   {"rm", "--json", "qwen3-8b", "--force"},
                   "DELETE /control/v1/models/qwen3-8b?force=true",
                   "removed_model.json"},
        GoldenCase{"rm_template",
                   {"rm", "qwen3-8b", "--format", "{{.id}} {{len .files}} {{.freed}}"},
                   "DELETE /control/v1/models/qwen3-8b",
                   "removed_model.json"},
        GoldenCase{"prune_quiet", {"prune", "-q"}, "POST /control/v1/prune", "pruned.json"},
        GoldenCase{"prune_json", {"prune", "--json"}, "POST /control/v1/prune", "pruned.json"},
        GoldenCase{"shutdown",
                   {"shutdown", "--keep-models", "--no-wait"},
                   "POST /control/v1/shutdown",
                   "shutdown.json"},
        GoldenCase{"shutdown_json",
                   {"shutdown", "--no-wait", "--json"},
                   "POST /control/v1/shutdown",
                   "shutdown.json"}),
    [](const auto& row) { return row.param.name; });

class ColorTest : public CtlTest {};

TEST_F(ColorTest, IsForTerminalsAlone) {
    daemon_.answer_json(list_instances,
                        source_file("tests/golden/routerctl/answers/instances.json"));
    EXPECT_EQ(ctl({"ps"}).out.find('\x1b'), std::string::npos);
    out_is_tty_ = true;
    EXPECT_NE(ctl({"ps"}).out.find("\x1b[32mready\x1b[0m"), std::string::npos);
    EXPECT_EQ(ctl({"ps", "--no-color"}).out.find('\x1b'), std::string::npos);
    environment_["NO_COLOR"] = "1";
    EXPECT_EQ(ctl({"ps"}).out.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace routerd::ctl
