#include "daemon/dialects/llama_router_bodies.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/units.hpp"

namespace routerd::llama_router {
namespace {

using namespace std::chrono_literals;

const WallTime noon = *parse_rfc3339("2026-11-21T12:00:00Z");
constexpr auto noon_text = "2026-11-21T12:00:00.000Z";

InstanceView view_of(const std::string& model, InstanceState state) {
    InstanceView view;
    view.model = model;
    view.state = state;
    return view;
}

ModelReport living(const std::string& model) {
    ModelReport report;
    report.view = view_of(model, InstanceState::ready);
    report.view.id = 3;
    report.view.pid = 4711;
    report.view.address = "unix:/run/x.sock";
    report.view.last_used = noon;
    report.held = {{"host", 26 * mib + 1}};
    return report;
}

HealthReport health_of(const std::string& model, InstanceState state, unsigned failures) {
    HealthReport report;
    report.model = model;
    report.state = state;
    report.consecutive_failures = failures;
    return report;
}

struct WordCase {
    InstanceState state;
    std::string word;
};

class WordTest : public testing::TestWithParam<WordCase> {};

TEST_P(WordTest, IsTheContracts) {
    EXPECT_EQ(word(GetParam().state), GetParam().word);
    ModelReport report;
    report.view = view_of("a", GetParam().state);
    EXPECT_EQ(status_body(report).at("status"), GetParam().word);
    EXPECT_EQ(update_body(report).at("status"), GetParam().word);
    const auto all = all_status_body({}, {report});
    EXPECT_EQ(all.at("models").at("a").at("status"), GetParam().word);
    EXPECT_EQ(all.at("summary").at(GetParam().word), 1);
}

// There is no word for "draining" in this dialect.
INSTANTIATE_TEST_SUITE_P(All, WordTest,
                         testing::Values(WordCase{InstanceState::off, "off"},
                                         WordCase{InstanceState::starting, "starting"},
                                         WordCase{InstanceState::loading, "loading"},
                                         WordCase{InstanceState::ready, "ready"},
                                         WordCase{InstanceState::draining, "stopping"},
                                         WordCase{InstanceState::stopping, "stopping"},
                                         WordCase{InstanceState::crashed, "crashed"},
                                         WordCase{InstanceState::failed, "failed"}),
                         [](const auto& row) { return std::string(to_string(row.param.state)); });

TEST(LlamaRouterBodies, StatusOfAServerOnAUnixSocketHasAnAddressInPlaceOfAPort) {
    const Body expected = {{"model", "a"},      {"status", "ready"},
                           {"port", nullptr},   {"address", "unix:/run/x.sock"},
                           {"is_alive", true},  {"last_used", noon_text},
                           {"vram_used_mb", 27}};
    EXPECT_EQ(status_body(living("a")), expected);
}

TEST(LlamaRouterBodies, StatusOfAServerOnTcpHasItsPort) {
    auto report = living("a");
    report.view.port = 9001;
    report.view.address = "127.0.0.1:9001";
    EXPECT_EQ(status_body(report).at("port"), 9001);
    EXPECT_EQ(update_body(report).at("port"), 9001);
    EXPECT_EQ(all_status_body({}, {report}).at("models").at("a").at("port"), 9001);
}

TEST(LlamaRouterBodies, StatusWithoutAServerRemembersItsLastUse) {
    ModelReport report;
    report.view = view_of("a", InstanceState::off);
    report.history.last_used = noon;
    const Body expected = {{"model", "a"},       {"status", "off"},   {"port", nullptr},
                           {"address", nullptr}, {"is_alive", false}, {"last_used", noon_text},
                           {"vram_used_mb", 0}};
    EXPECT_EQ(status_body(report), expected);
}

TEST(LlamaRouterBodies, AllStatusCountsModelsByTheirState) {
    ModelReport off;
    off.view = view_of("b", InstanceState::off);
    ModelReport loading;
    loading.view = view_of("c", InstanceState::loading);
    loading.view.loaded_percent = 42;
    const auto body = all_status_body({"running", 61s}, {living("a"), off, loading});
    EXPECT_EQ(body.at("server"), (Body{{"status", "running"}, {"uptime_seconds", 61}}));
    const Body of_a = {
        {"status", "ready"},  {"port", nullptr},           {"address", "unix:/run/x.sock"},
        {"vram_used_mb", 27}, {"last_request", noon_text}, {"progress", nullptr}};
    EXPECT_EQ(body.at("models").at("a"), of_a);
    EXPECT_EQ(body.at("models").at("b").at("last_request"), nullptr);
    EXPECT_EQ(body.at("models").at("c").at("progress"), 42);
    const Body summary = {{"off", 1},      {"starting", 0}, {"loading", 1}, {"ready", 1},
                          {"stopping", 0}, {"crashed", 0},  {"failed", 0},  {"total", 3}};
    EXPECT_EQ(body.at("summary"), summary);
}

TEST(LlamaRouterBodies, AnUpdateNamesTheModelByItsAlias) {
    const Body expected = {{"alias", "a"},        {"status", "ready"},
                           {"port", nullptr},     {"address", "unix:/run/x.sock"},
                           {"progress", nullptr}, {"vram_mb", 27}};
    EXPECT_EQ(update_body(living("a")), expected);
}

TEST(LlamaRouterBodies, FailedModelsAreThoseWithoutAServerWhoseLastOneEndedByItself) {
    auto failed = view_of("a", InstanceState::failed);
    failed.failures = 3;
    failed.last_error = "exit status 1";
    failed.retry_at = noon;
    auto crashed = view_of("b", InstanceState::crashed);
    crashed.failures = 1;
    auto again = living("c").view;
    again.failures = 1;
    const auto list = failed_body({failed, crashed, again}).at("failed_models");
    ASSERT_EQ(list.size(), 2U);
    const Body first = {{"model", "a"},
                        {"status", "failed"},
                        {"attempts", 3},
                        {"error", "exit status 1"},
                        {"retry_at", noon_text}};
    EXPECT_EQ(list[0], first);
    EXPECT_EQ(list[1].at("model"), "b");
    EXPECT_EQ(list[1].at("status"), "crashed");
    EXPECT_EQ(failed_body({}).at("failed_models"), Body::array());
}

TEST(LlamaRouterBodies, QueueSumsWhatTheModelsHave) {
    const auto body = queue_body({{"a", {1, 2, 30, 4}}, {"b", {10, 20, 300, 40}}});
    const Body summary = {{"total_queued", 11},
                          {"total_processing", 22},
                          {"total_processed", 330},
                          {"total_rejected", 44}};
    EXPECT_EQ(body.at("summary"), summary);
    const Body of_a = {{"queued", 1}, {"processing", 2}, {"processed", 30}, {"rejected", 4}};
    EXPECT_EQ(body.at("per_model").at("a"), of_a);
    EXPECT_EQ(queue_body({}).at("per_model"), Body::object());
}

TEST(LlamaRouterBodies, HealthOfAModelThatNeverStartedIsNotKnown) {
    auto known = health_of("a", InstanceState::draining, 1);
    known.uptime_percent = 99.0 + 1.0 / 3;
    known.response_time = 7500us;
    known.last_check = noon;
    const auto models = health_models_body({"a", "b"}, {known}).at("models");
    const Body of_a = {{"status", "stopping"},
                       {"uptime_percentage", 99.33},
                       {"consecutive_failures", 1},
                       {"avg_response_time_ms", 7.5},
                       {"last_check", noon_text}};
    EXPECT_EQ(models.at("a"), of_a);
    const Body of_b = {{"status", "off"},
                       {"uptime_percentage", nullptr},
                       {"consecutive_failures", 0},
                       {"avg_response_time_ms", nullptr},
                       {"last_check", nullptr}};
    EXPECT_EQ(models.at("b"), of_b);
}

TEST(LlamaRouterBodies, HealthIsDegradedByAnyCheckThatFails) {
    const Body good = {{"status", "ok"},
                       {"checks", {{"gpu", "none"}, {"manager", "ok"}, {"http_client", "ok"}}}};
    EXPECT_EQ(health_body({"none", "ok", "ok"}), good);
    EXPECT_EQ(health_body({"failing", "ok", "ok"}).at("status"), "degraded");
    EXPECT_EQ(health_body({"ok", "failing", "ok"}).at("status"), "degraded");
    EXPECT_EQ(health_body({"ok", "ok", "failing"}).at("status"), "degraded");
}

TEST(LlamaRouterBodies, ServersFailOnlyWhenNoneAnswers) {
    constexpr auto ready = InstanceState::ready;
    EXPECT_EQ(check_servers({}), "ok");
    EXPECT_EQ(check_servers({health_of("a", InstanceState::failed, 5)}), "ok");
    EXPECT_EQ(check_servers({health_of("a", ready, 1)}), "ok");
    EXPECT_EQ(check_servers({health_of("a", ready, 2)}), "failing");
    EXPECT_EQ(check_servers({health_of("a", ready, 2), health_of("b", ready, 0)}), "ok");
}

TEST(LlamaRouterBodies, WordsOfAServerThatAreNoTextDoNoHarm) {
    auto view = view_of("a", InstanceState::failed);
    view.last_error = "said \xff";
    EXPECT_THAT(text_of(failed_body({view})), testing::HasSubstr("said \xEF\xBF\xBD"));
}

}  // namespace
}  // namespace routerd::llama_router
