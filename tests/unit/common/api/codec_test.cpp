#include "common/api/codec.hpp"

#include <chrono>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/api/decision.hpp"
#include "common/api/error_body.hpp"
#include "common/api/estimate.hpp"
#include "common/api/event.hpp"
#include "common/api/instance.hpp"
#include "common/api/log.hpp"
#include "common/api/model.hpp"
#include "common/api/profile.hpp"
#include "common/api/pull.hpp"
#include "common/api/switch.hpp"

namespace routerd::api {
namespace {

using namespace std::chrono_literals;

Instance sample_instance() {
    Instance instance;
    instance.id = 7;
    instance.model = "qwen3-8b";
    instance.state = "ready";
    instance.memory_bytes = 5'000'000'000;
    instance.tokens_per_second = 12.5;
    instance.until = parse_rfc3339("2026-11-21T15:04:05.123Z");
    instance.pid = 4711;
    instance.load_ms = 830ms;
    return instance;
}

TEST(CodecTest, AnInstanceComesBackAsItWas) {
    const auto text = encode(sample_instance());
    const auto back = decode<Instance>(text);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode(*back), text);
    EXPECT_EQ(back->pid, 4711);
    EXPECT_EQ(back->load_ms, 830ms);
    EXPECT_EQ(back->port, std::nullopt);
}

TEST(CodecTest, AbsentValuesAreNullAndTimesAreText) {
    const auto value = to_value(sample_instance());
    EXPECT_TRUE(value.at("port").is_null());
    EXPECT_EQ(value.at("until"), "2026-11-21T15:04:05.123Z");
    EXPECT_EQ(value.at("load_ms"), 830);
}

TEST(CodecTest, AModelsSummaryStandsBesideItsOtherFields) {
    Model model;
    model.summary.id = "a";
    model.summary.tier = Tier::powerful;
    model.overrides["context"] = "4096";
    const auto value = to_value(model);
    EXPECT_EQ(value.at("id"), "a");
    EXPECT_EQ(value.at("tier"), "powerful");
    EXPECT_FALSE(value.contains("summary"));
    const auto back = decode<Model>(value.dump());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->summary.tier, Tier::powerful);
    EXPECT_EQ(back->overrides, model.overrides);
}

TEST(CodecTest, ProfilesKeepTheDifferenceBetweenNoneAndEmpty) {
    Profile profile;
    profile.name = "night";
    EXPECT_EQ(decode<Profile>(encode(profile))->enabled_models, std::nullopt);
    profile.enabled_models.emplace();
    EXPECT_EQ(decode<Profile>(encode(profile))->enabled_models, std::vector<std::string>{});
    profile.overrides["m"]["parallel"] = "2";
    EXPECT_EQ(decode<Profile>(encode(profile))->overrides, profile.overrides);
}

TEST(CodecTest, EventsKeepTheirDetails) {
    Event event;
    event.id = 3;
    event.type = "instance.ready";
    event.details = {{"ms", "80"}, {"reason", "request"}};
    EXPECT_EQ(decode<Event>(encode(event))->details, event.details);
}

TEST(CodecTest, ADecisionComesBackAsItWas) {
    Decision decision;
    decision.id = 12;
    decision.time = *parse_rfc3339("2026-11-21T15:04:05.123Z");
    decision.type = "instance.draining";
    decision.model = "a";
    decision.details = {{"other", "b"}, {"reason", "makes_room"}};
    EXPECT_TRUE(to_value(decision).at("request").is_null());
    EXPECT_EQ(to_value(decision).at("details").at("other"), "b");
    decision.request = "req-1";
    const auto text = encode(decision);
    const auto back = decode<Decision>(text);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode(*back), text);
}

TEST(CodecTest, APullComesBackAsItWas) {
    PullFile file;
    file.name = "m-Q4_K_M.gguf";
    file.path = "/models/m-Q4_K_M.gguf";
    file.state = "downloading";
    file.size = 5'000'000'000;
    file.done = 1'000'000'000;
    Pull pull;
    pull.id = "7";
    pull.ref = "org/repo";
    pull.state = "retrying";
    pull.error = "the origin answered 503";
    pull.code = "unavailable";
    pull.files = {file};
    pull.notes = {"chose Q4_K_M"};
    pull.created = *parse_rfc3339("2026-11-21T15:04:05.123Z");
    EXPECT_TRUE(to_value(pull).at("size").is_null());
    EXPECT_TRUE(to_value(pull).at("finished").is_null());
    EXPECT_EQ(to_value(pull).at("files").at(0).at("size"), 5'000'000'000);
    const auto text = encode(pull);
    const auto back = decode<Pull>(text);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode(*back), text);
    EXPECT_EQ(back->eta_seconds, std::nullopt);
    ASSERT_EQ(back->files.size(), 1U);
    EXPECT_EQ(back->files[0].done, 1'000'000'000U);
}

TEST(CodecTest, APullIsAskedForWithKnownOptionsOnly) {
    const auto request =
        decode_request<PullRequest>(R"({"ref":"a/b","include":["*.gguf"],"limit_rate":"20M"})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->include, std::vector<std::string>{"*.gguf"});
    EXPECT_EQ(request->limit_rate, "20M");
    EXPECT_EQ(request->connections, std::nullopt);
    EXPECT_FALSE(request->insecure);
    EXPECT_FALSE(decode_request<PullRequest>(R"({"ref":"a/b","rate":"20M"})"));
    EXPECT_FALSE(decode_request<PullRequest>(R"({"ref":"a/b","connections":-1})"));
    EXPECT_FALSE(decode_request<PullChange>(R"({"ref":"a/b"})"));
    EXPECT_EQ(decode_request<PullChange>(R"({"token":"t"})")->token, "t");
}

TEST(CodecTest, APullIsAtRestWhenNothingMoreHappensByItself) {
    Pull pull;
    for (const auto* state : {"complete", "failed", "paused"}) {
        pull.state = state;
        EXPECT_TRUE(is_at_rest(pull)) << state;
    }
    for (const auto* state : {"resolving", "downloading", "retrying", ""}) {
        pull.state = state;
        EXPECT_FALSE(is_at_rest(pull)) << state;
    }
}

TEST(CodecTest, AnEstimateIsAskedForWithKnownParametersOnly) {
    const auto request = decode_request<EstimateRequest>(R"({"model":"a","parallel":2})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->parallel, 2U);
    EXPECT_EQ(request->context, std::nullopt);
    EXPECT_FALSE(decode_request<EstimateRequest>(R"({"model":"a","slots":2})"));
    EXPECT_FALSE(decode_request<EstimateRequest>(R"({"model":"a","parallel":-1})"));
}

TEST(CodecTest, AnswersMayHaveKeysOfANewerVersion) {
    const auto stage = decode<SwitchStage>(R"({"name":"load","shade":"green"})");
    ASSERT_TRUE(stage);
    EXPECT_EQ(stage->name, "load");
}

TEST(CodecTest, RequestsMayNot) {
    const auto request = decode_request<SwitchRequest>(R"({"model":"a","dryrun":true})");
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().message(), "unknown key 'dryrun'");
    EXPECT_EQ(request.error().hint(), "did you mean 'dry_run'?");
    EXPECT_TRUE(decode_request<RescanRequest>(""));
}

TEST(CodecTest, BytesThatAreNotUtf8DoNotBreakTheJson) {
    LogLine line;
    line.text = "a\xff z";
    EXPECT_EQ(decode<LogLine>(encode(line))->text, "a\xef\xbf\xbd z");
}

struct BadCase {
    const char* name;
    const char* text;
    const char* message;
};

class BadJson : public testing::TestWithParam<BadCase> {};

TEST_P(BadJson, IsRefusedWithAReason) {
    const auto request = decode_request<ModelChange>(GetParam().text);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code(), Errc::invalid_request);
    EXPECT_EQ(request.error().message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadJson,
    testing::Values(BadCase{"NotJson", "{", "not valid JSON at byte 2"},
                    BadCase{"NotAnObject", "[1]", "the body must be a JSON object"},
                    BadCase{"NotAList", R"({"unset":"a"})", "'unset': must be a list"},
                    BadCase{"NumberTooLarge", R"({"x":1e400})",
                            "the JSON has a number that is out of range"},
                    BadCase{"NotText", R"({"set":{"context":4096}})", "'set': must be text"}),
    [](const auto& row) { return row.param.name; });

TEST(CodecTest, JsonThatIsTooDeepIsRefused) {
    const std::string deep(100'000, '[');
    const auto request = decode_request<ModelChange>(deep);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().message(), "the JSON is nested more than 64 levels deep");
}

TEST(CodecTest, ThousandsOfTinyValuesAreRefused) {
    std::string many = R"({"unset":[)";
    while (many.size() < 100'000) {
        many += "[],";
    }
    const auto request = decode_request<ModelChange>(many + "0]}");
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().message(), "the JSON has more than 9096 values");
}

TEST(CodecTest, AListOfTenThousandShortNamesIsTaken) {
    std::string names = R"({"unset":["k")";
    for (int i = 10'000; i < 20'000; ++i) {
        names += ",\"model-" + std::to_string(i) + "\"";
    }
    const auto request = decode_request<ModelChange>(names + "]}");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->unset.size(), 10'001U);
}

TEST(CodecTest, NothingHidesBehindANul) {
    const std::string text("{}\0{}", 5);
    const auto request = decode_request<ModelChange>(text);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().message(), "not valid JSON at byte 3");
}

TEST(CodecTest, NumbersMustFit) {
    const auto instance = decode<Instance>(R"({"port":70000})");
    ASSERT_FALSE(instance);
    EXPECT_EQ(instance.error().message(), "'port': must be between 0 and 65535");
    EXPECT_FALSE(decode<Instance>(R"({"slots":-1})"));
    EXPECT_FALSE(decode<Instance>(R"({"slots":1.5})"));
}

TEST(ErrorBodyTest, CarriesAnErrorOver) {
    const auto error = Error(Errc::would_not_fit, "needs 9 GiB")
                           .with_hint("routerctl unload --all")
                           .with_retry_after(5s);
    const auto body = decode<ErrorBody>(encode(ErrorBody::from(error)));
    ASSERT_TRUE(body);
    const auto back = body->to_error(503);
    EXPECT_EQ(back.code(), Errc::would_not_fit);
    EXPECT_EQ(back.message(), "needs 9 GiB");
    EXPECT_EQ(back.hint(), "routerctl unload --all");
    EXPECT_EQ(back.retry_after(), 5s);
}

TEST(ErrorBodyTest, JudgesUnknownCodesByTheStatus) {
    ErrorBody body;
    body.error.code = "model_not_found";
    EXPECT_EQ(body.to_error(404).code(), Errc::model_not_found);
    body.error.code = "something new";
    EXPECT_EQ(body.to_error(409).code(), Errc::conflict);
    EXPECT_EQ(body.to_error(418).code(), Errc::internal);
}

}  // namespace
}  // namespace routerd::api
