#include "common/base/units.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Verdict = EstimateReport::Verdict;

class FleetReportsTest : public FleetTest {
  protected:
    static Demand demand(const std::string& model, const std::string& request) {
        Demand demand;
        demand.model = model;
        demand.request_id = request;
        return demand;
    }

    /// A model whose needs can be computed: about 100 MiB of weights.
    Model& add_sized_model(const std::string& id, const std::string& faults = "") {
        auto& model = add_model(id, faults);
        auto& file = model.metadata;
        file.architecture = "llama";
        file.context_length = 4096;
        file.embedding_length = 1024;
        file.block_count = 8;
        file.head_count = {8};
        file.tensor_bytes = 100 * mib;
        model.settings.context = 4096;
        return model;
    }

    static std::vector<std::string> words(const Result<std::vector<Decision>>& decisions) {
        std::vector<std::string> all;
        if (!decisions) {
            return {decisions.error().message()};
        }
        for (const auto& decision : *decisions) {
            all.push_back(decision.what);
        }
        return all;
    }
};

TEST_F(FleetReportsTest, TheQueueTellsWhoWaitsForWhatAndInWhichOrder) {
    add_model("a", "gate=" + (dir / "gate"));
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto first = fleet.request(demand("a", "one"));
        auto asked = demand("a", "two");
        asked.priority = Priority::high;
        asked.key = "night";
        asked.deadline = in(20s);
        auto second = fleet.request(asked);
        const auto queue = fleet.queue();
        EXPECT_EQ(queue.size(), 2U);
        if (queue.size() == 2) {
            EXPECT_EQ(queue[0].request_id, "two");
            EXPECT_EQ(queue[0].key, "night");
            EXPECT_EQ(queue[0].priority, Priority::high);
            EXPECT_EQ(queue[0].progress.position, 1U);
            EXPECT_EQ(queue[0].progress.phase, Ticket::Phase::loading);
            EXPECT_EQ(queue[0].reason, "its server is loading");
            EXPECT_TRUE(queue[0].deadline);
            EXPECT_EQ(queue[1].request_id, "one");
            EXPECT_EQ(queue[1].reason, "its server is loading; 1 is before it");
            EXPECT_FALSE(queue[1].deadline);
        }
        dir.write("gate", "");
        co_await second.wait_until(in(10s));
        EXPECT_TRUE(second.take());
        EXPECT_THAT(fleet.queue(), testing::SizeIs(testing::Le(1U)));
    });
}

TEST_F(FleetReportsTest, CancelEndsTheWaitOfOneAndTellsWhoItWas) {
    add_model("a", "gate=" + (dir / "gate"));
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto first = fleet.request(demand("a", "one"));
        auto second = fleet.request(demand("a", "two"));
        const auto cancelled = fleet.cancel("one");
        EXPECT_TRUE(cancelled && cancelled->model == "a" && cancelled->request_id == "one");
        EXPECT_TRUE(first.settled()) << "at once";
        EXPECT_EQ(first.take().error().code(), Errc::cancelled);
        EXPECT_FALSE(second.settled());
        EXPECT_EQ(fleet.cancel("one").error().code(), Errc::not_found);
        const auto queue = fleet.queue();
        const auto by_ticket = fleet.cancel(std::to_string(queue.at(0).ticket));
        EXPECT_TRUE(by_ticket && by_ticket->request_id == "two");
        EXPECT_EQ(second.take().error().code(), Errc::cancelled);
        EXPECT_THAT(fleet.queue(), IsEmpty());
        EXPECT_THAT(words(fleet.explain("one")), Contains("request.cancelled"));
        dir.write("gate", "");
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded) << "the load went on";
    });
}

TEST_F(FleetReportsTest, WhoWasCancelledIsNotUnderWayAnyMore) {
    config.rate_limit.concurrent = 1;
    add_model("a", "gate=" + (dir / "gate"));
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto asked = demand("a", "one");
        asked.key = "night";
        asked.is_limited = true;
        const auto first = fleet.request(asked);
        EXPECT_FALSE(first.settled());
        EXPECT_TRUE(fleet.cancel("one"));
        asked.request_id = "two";
        auto second = fleet.request(asked);
        EXPECT_FALSE(second.settled()) << second.take().error().message();
        dir.write("gate", "");
        co_await second.wait_until(in(10s));
        EXPECT_TRUE(second.take());
    });
}

TEST_F(FleetReportsTest, CountsTheRequestsOfEachModel) {
    config.queue.size = 1;
    add_model("a", "gate=" + (dir / "gate")).settings.parallel = 1;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto first = fleet.request(demand("a", "one"));
        auto refused = fleet.request(demand("a", "two"));
        auto unknown = fleet.request(demand("made-up", "three"));
        EXPECT_TRUE(refused.settled() && unknown.settled());
        EXPECT_EQ(fleet.queue_totals().at("a").queued, 1U);
        dir.write("gate", "");
        co_await first.wait_until(in(10s));
        {
            const auto lease = first.take();
            EXPECT_EQ(fleet.queue_totals().at("a").processing, 1U);
            EXPECT_EQ(fleet.queue_totals().at("a").processed, 0U);
        }
        const auto all = fleet.queue_totals();
        EXPECT_EQ(all.size(), 1U) << "names that nobody knows are not kept";
        EXPECT_EQ(all.at("a").queued, 0U);
        EXPECT_EQ(all.at("a").processing, 0U);
        EXPECT_EQ(all.at("a").processed, 1U);
        EXPECT_EQ(all.at("a").rejected, 1U);
    });
}

TEST_F(FleetReportsTest, MemoryShowsWhoHoldsWhat) {
    config.memory.budget["host"] = 4 * gib;
    add_sized_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
        const auto devices = fleet.memory();
        EXPECT_FALSE(devices.empty());
        if (devices.empty()) {
            co_return;
        }
        const auto& host = devices.front();
        EXPECT_EQ(host.device.id, "host");
        EXPECT_GE(host.total, host.usable);
        EXPECT_LE(host.usable, 4 * gib);
        EXPECT_EQ(host.holders.size(), 1U);
        if (!host.holders.empty()) {
            EXPECT_EQ(host.holders[0].model, "a");
            EXPECT_EQ(host.holders[0].state, InstanceState::ready);
            EXPECT_GT(host.holders[0].reserved, 0U);
            EXPECT_EQ(host.reserved, host.holders[0].reserved);
        }
        EXPECT_EQ(host.free, host.usable - std::min(host.usable, host.foreign + host.reserved));
    });
}

TEST_F(FleetReportsTest, AnEstimateFollowsTheModelThroughItsLife) {
    config.limits.max_loaded = 1;
    config.memory.safety_factor = 1;
    add_sized_model("a");
    add_sized_model("b");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto before = fleet.estimate("a", {});
        EXPECT_TRUE(before);
        if (!before) {
            co_return;
        }
        EXPECT_EQ(before->verdict, Verdict::fits);
        EXPECT_FALSE(before->learned);
        EXPECT_EQ(before->context_per_slot, 4096U);
        EXPECT_EQ(before->devices.size(), 1U);
        const auto& host = before->devices.at(0);
        EXPECT_GT(host.bytes.kv, 0U);
        EXPECT_EQ(host.needed, host.bytes.total());
        EXPECT_GT(host.free, 0U);
        co_await fleet.load("b");
        const auto evicts = fleet.estimate("a", {});
        EXPECT_EQ(evicts->verdict, Verdict::evicts);
        EXPECT_EQ(evicts->evictions.size(), 1U);
        if (!evicts->evictions.empty()) {
            EXPECT_EQ(evicts->evictions[0].model, "b");
            EXPECT_THAT(evicts->evictions[0].reason, HasSubstr("makes room for 'a'"));
        }
        EXPECT_EQ(fleet.model_state("b"), InstanceState::ready) << "nothing was done";
        co_await fleet.load("a");
        EXPECT_EQ(fleet.estimate("a", {})->verdict, Verdict::loaded);
        EXPECT_TRUE(fleet.estimate("a", {})->learned);
    });
}

TEST_F(FleetReportsTest, AnEstimateWithOtherParametersIsComparedWithTheLedger) {
    config.memory.budget["host"] = 3 * gib;
    add_sized_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto usual = fleet.estimate("a", {});
        EstimateOptions options;
        options.parallel = 4;
        options.cache_type = "q8_0";
        const auto packed = fleet.estimate("a", options);
        options.cache_type = "f16";
        const auto plain = fleet.estimate("a", options);
        EXPECT_TRUE(usual && packed && plain);
        EXPECT_EQ(plain->slots, 4U);
        EXPECT_LT(packed->devices.at(0).bytes.kv, plain->devices.at(0).bytes.kv);
        EXPECT_GT(plain->devices.at(0).bytes.kv, usual->devices.at(0).bytes.kv);
        EXPECT_EQ(plain->verdict, Verdict::fits);
        options.parallel = 64;
        const auto huge = fleet.estimate("a", options);
        EXPECT_EQ(huge->verdict, Verdict::would_not_fit);
        EXPECT_THAT(huge->reason, HasSubstr("on 'host'"));
        co_await fleet.load("a");
        EXPECT_EQ(fleet.estimate("a", options)->verdict, Verdict::would_not_fit);
        options.parallel = 4;
        EXPECT_EQ(fleet.estimate("a", options)->verdict, Verdict::fits)
            << "its server would go first";
        EXPECT_EQ(fleet.model_state("a"), InstanceState::ready);
    });
}

TEST_F(FleetReportsTest, AnEstimateSaysWhatIsWrongWithTheQuestion) {
    add_model("a");
    auto& fleet = make_fleet();
    EXPECT_EQ(fleet.estimate("none", {}).error().code(), Errc::not_found);
    EstimateOptions options;
    options.context = 0;
    EXPECT_EQ(fleet.estimate("a", options).error().param(), "context");
    options = {};
    options.parallel = 5000;
    EXPECT_EQ(fleet.estimate("a", options).error().param(), "parallel");
    options = {};
    options.cache_type = "q9";
    EXPECT_THAT(fleet.estimate("a", options).error().message(), HasSubstr("not 'q9'"));
    EXPECT_EQ(fleet.estimate("a", {})->verdict, Verdict::unknown) << "no look at the machine yet";
}

TEST_F(FleetReportsTest, AnEvictionIsExplainedToBothModels) {
    config.limits.max_loaded = 1;
    add_model("a");
    add_model("b");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        {
            const auto first = co_await lease(fleet, "a");
            EXPECT_TRUE(first);
        }
        auto ticket = fleet.request(demand("b", "r"));
        co_await ticket.wait_until(in(10s));
        const auto story = fleet.explain("r");
        EXPECT_THAT(words(story),
                    ElementsAre("request.waits", "instance.stopping", "instance.starting",
                                "instance.ready", "request.granted"));
        if (story && story->size() == 5) {
            EXPECT_THAT(story->at(0).message, HasSubstr("'a' makes room for it"));
            EXPECT_EQ(story->at(1).model, "a");
            EXPECT_THAT(story->at(1).details, Contains(testing::Pair("other", "b")));
        }
        EXPECT_THAT(words(fleet.explain("a")), Contains("instance.stopping"));
        EXPECT_THAT(words(fleet.explain("a")), Contains("instance.stopped"));
        EXPECT_THAT(words(fleet.explain("b")), Contains("instance.stopping"));
        EXPECT_EQ(fleet.explain("none").error().code(), Errc::not_found);
    });
}

TEST_F(FleetReportsTest, AModelAboutWhichNothingWasDecidedIsKnownAllTheSame) {
    add_model("a");
    const auto decisions = make_fleet().explain("a");
    EXPECT_TRUE(decisions && decisions->empty());
}

}  // namespace
}  // namespace routerd::test
