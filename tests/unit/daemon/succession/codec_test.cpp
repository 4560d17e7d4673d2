#include "daemon/succession/codec.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace routerd::succession {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// As it comes out at the other end.
json sent(const json& value) {
    return json::parse(value.dump());
}

TEST(SuccessionCodecTest, KeepsADemand) {
    Demand demand;
    demand.model = "fox";
    demand.request_id = "req-1";
    demand.priority = Priority::low;
    demand.deadline = steady_now() + milliseconds(1500);
    demand.key = "team";
    demand.conversation = ~0ULL;
    demand.needs_slot = false;
    demand.is_limited = true;
    const auto got = demand_from(sent(to_json(demand)));
    EXPECT_EQ(got.model, demand.model);
    EXPECT_EQ(got.request_id, demand.request_id);
    EXPECT_EQ(got.priority, demand.priority);
    EXPECT_EQ(got.deadline, demand.deadline);
    EXPECT_EQ(got.key, demand.key);
    EXPECT_EQ(got.conversation, demand.conversation);
    EXPECT_FALSE(got.needs_slot);
    EXPECT_TRUE(got.is_limited);
    EXPECT_EQ(demand_from(sent(to_json(Demand()))).deadline, TimePoint::max());
}

TEST(SuccessionCodecTest, KeepsAnError) {
    const auto error = Error(Errc::would_not_fit, "too large")
                           .with_hint("a smaller one")
                           .with_param("model")
                           .with_retry_after(std::chrono::seconds(7))
                           .with_fit({.required = 9, .available = 8, .loaded = {"a"}});
    const auto got = error_from(sent(to_json(error)));
    EXPECT_EQ(got.code(), error.code());
    EXPECT_EQ(got.message(), error.message());
    EXPECT_EQ(got.hint(), error.hint());
    EXPECT_EQ(got.param(), error.param());
    EXPECT_EQ(got.retry_after(), error.retry_after());
    ASSERT_NE(got.fit(), nullptr);
    EXPECT_EQ(got.fit()->required, 9U);
    EXPECT_EQ(got.fit()->loaded, std::vector<std::string>{"a"});
    EXPECT_EQ(error_from(json::object()).code(), Errc::internal);
}

TEST(SuccessionCodecTest, KeepsAnOutcome) {
    const Granted granted{5, std::make_shared<ModelServer>(Endpoint{"/run/5.sock", 0}),
                          milliseconds(3), milliseconds(2)};
    const auto got = outcome_from(sent(to_json(Result<Granted>(granted))));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->instance, 5U);
    EXPECT_EQ(got->server->endpoint.unix_path, "/run/5.sock");
    EXPECT_EQ(got->queued, milliseconds(3));
    EXPECT_EQ(got->loaded, milliseconds(2));
    const Result<Granted> refused = Error(Errc::queue_full, "full");
    EXPECT_EQ(outcome_from(sent(to_json(refused))).error().code(), Errc::queue_full);
}

TEST(SuccessionCodecTest, KeepsAServerThatIsElsewhere) {
    Endpoint far;
    far.remote = *make_remote_server("https://Example.org/team/v1", "key", "");
    const Granted granted{5, std::make_shared<ModelServer>(far), {}, {}};
    const auto got = outcome_from(sent(to_json(Result<Granted>(granted))));
    ASSERT_TRUE(got);
    const auto& endpoint = got->server->endpoint;
    ASSERT_NE(endpoint.remote, nullptr);
    EXPECT_EQ(endpoint.text(), "https://example.org/team/v1");
    EXPECT_EQ(endpoint.remote->host, "example.org");
    EXPECT_EQ(endpoint.remote->base, "/team");
    EXPECT_EQ(endpoint.remote->key, "key");
    EXPECT_EQ(endpoint.remote->address.port, 443);
    EXPECT_NE(endpoint.remote->address.tls, nullptr);
}

TEST(SuccessionCodecTest, KeepsARecord) {
    Record record;
    record.request_id = "req-2";
    record.endpoint = "/v1/chat/completions";
    record.model = "fox";
    record.status = 200;
    record.error = "cut";
    record.stream = true;
    record.bytes = 77;
    record.tokens_per_second = 12.5;
    record.completion_tokens = 3;
    record.queued = milliseconds(1);
    record.loaded = milliseconds(2);
    record.first_byte = std::chrono::microseconds(3);
    record.took = std::chrono::microseconds(4);
    const auto got = record_from(sent(to_json(record)));
    EXPECT_EQ(sent(to_json(got)), sent(to_json(record)));
    EXPECT_FALSE(got.prompt_tokens);
}

TEST(SuccessionCodecTest, KeepsAddressesAndWhatIsHeld) {
    const auto address = *parse_listen_address("https://[::1]:8443");
    EXPECT_EQ(address_from(sent(to_json(address))), address);
    ListenAddress control;
    control.unix_path = "/run/x.sock";
    control.unix_mode = 0660;
    EXPECT_EQ(address_from(sent(to_json(control))), control);
    const auto held = held_from(sent(to_json(Legacy::Held{8, 9, "team", false, true})));
    EXPECT_EQ(held.ticket, 8U);
    EXPECT_EQ(held.instance, 9U);
    EXPECT_EQ(held.key, "team");
    EXPECT_FALSE(held.has_slot);
    EXPECT_TRUE(held.is_limited);
}

TEST(SuccessionCodecTest, KeepsReportsAndAllowances) {
    LeaseReport report;
    EXPECT_FALSE(report_from(sent(to_json(report))).answered);
    report.answered = Answered::stalled;
    report.tokens_per_second = 2.5;
    report.tokens = 90;
    const auto got = report_from(sent(to_json(report)));
    EXPECT_EQ(got.answered, Answered::stalled);
    EXPECT_EQ(got.tokens_per_second, 2.5);
    EXPECT_EQ(got.tokens, 90U);
    const Admission admission{std::nullopt,
                              Allowance{.limit = 9, .remaining = 8, .reset = milliseconds(7)},
                              Allowance{.limit = 99, .remaining = 98, .reset = milliseconds(97)}};
    const auto allowed = admission_from(sent(to_json(admission)));
    EXPECT_FALSE(allowed.refusal);
    EXPECT_EQ(allowed.allowance->remaining, 8U);
    EXPECT_EQ(allowed.allowance->reset, milliseconds(7));
    EXPECT_EQ(allowed.tokens->limit, 99U);
    const Ticket::Progress progress{Ticket::Phase::loading, 3, 40};
    EXPECT_EQ(progress_from(sent(to_json(progress))).loaded_percent, 40U);
}

}  // namespace
}  // namespace routerd::succession
