#include "daemon/supervisor/decision_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> words(const std::vector<Decision>& decisions) {
    std::vector<std::string> all;
    for (const auto& decision : decisions) {
        all.push_back(decision.what);
    }
    return all;
}

class DecisionLogTest : public testing::Test {
  protected:
    void happens(const std::string& type, const std::string& model, const std::string& other = "") {
        api::Event event;
        event.type = type;
        event.model = model;
        event.message = "'" + model + "': " + type;
        if (!other.empty()) {
            event.details.emplace_back("other", other);
        }
        log_.add(event);
    }

    DecisionLog::Asker asker(const std::string& request, const std::string& model) {
        return {request, model, log_.stamp()};
    }

    void pass(const DecisionLog::Asker& asker, std::uint64_t instance) {
        log_.passed(asker.request, asker.model, asker.came, instance);
    }

    /// A request that waits under the next ticket.
    scheduler::TicketId waits(const std::string& request, const std::string& model) {
        log_.waits(++ticket_, asker(request, model), {.why = Wait::Why::loading});
        return ticket_;
    }

    void is_granted(scheduler::TicketId ticket) {
        using namespace std::chrono_literals;
        log_.granted({ticket, 7, 1500ms, 1200ms});
    }

    DecisionLog log_;
    scheduler::TicketId ticket_ = 0;
};

TEST_F(DecisionLogTest, ARequestThatDidNotWaitExplainsItselfInOneLine) {
    happens("instance.starting", "a");
    pass(asker("r", "a"), 3);
    const auto decisions = log_.about_request("r");
    ASSERT_THAT(words(decisions), ElementsAre("request.granted"));
    EXPECT_THAT(decisions[0].message, HasSubstr("request 'r' is granted at once"));
    EXPECT_THAT(decisions[0].details, ElementsAre(Pair("instance", "3")));
    EXPECT_THAT(words(log_.about_model("a")), ElementsAre("instance.starting"))
        << "what passes does not hide what was decided about its model";
}

TEST_F(DecisionLogTest, ARequestThatWaitedHasWhatHappenedToItsModelMeanwhile) {
    happens("instance.stopped", "a");
    const auto came = asker("r", "a");
    happens("instance.draining", "b", "a");
    happens("instance.starting", "a");
    happens("instance.starting", "c");
    log_.waits(1, came, {.why = Wait::Why::makes_room, .other = "b"});
    happens("instance.ready", "a");
    is_granted(1);
    happens("instance.crashed", "a");
    const auto decisions = log_.about_request("r");
    ASSERT_THAT(words(decisions),
                ElementsAre("request.waits", "instance.draining", "instance.starting",
                            "instance.ready", "request.granted"));
    EXPECT_EQ(decisions[1].model, "b");
    EXPECT_THAT(decisions[0].message, HasSubstr("'b' makes room for it"));
    EXPECT_THAT(decisions[4].message, HasSubstr("after 1.5 s, 1.2 s of it loading"));
    EXPECT_THAT(decisions[4].details, testing::Contains(Pair("queued_ms", "1500")));
}

TEST_F(DecisionLogTest, SaysHowEachWaitEnded) {
    waits("waiting", "a");
    log_.left(waits("left", "a"));
    log_.cancelled(waits("cancelled", "a"));
    const auto refused = asker("refused", "a");
    log_.waits(++ticket_, refused, {});
    log_.refused(ticket_, refused, {.why = scheduler::Why::deadline_passed});
    EXPECT_THAT(words(log_.about_request("waiting")), ElementsAre("request.waits"));
    EXPECT_THAT(words(log_.about_request("left")), ElementsAre("request.waits", "request.left"));
    EXPECT_THAT(words(log_.about_request("cancelled")),
                ElementsAre("request.waits", "request.cancelled"));
    EXPECT_THAT(words(log_.about_request("refused")),
                ElementsAre("request.waits", "request.refused"));
    EXPECT_EQ(log_.about_model("a").size(), 7U);
}

TEST_F(DecisionLogTest, ARefusalAtTheDoorHasNoWait) {
    log_.refused(++ticket_, asker("r", "a"), {.why = scheduler::Why::queue_full, .count = 3});
    const auto decisions = log_.about_request("r");
    ASSERT_THAT(words(decisions), ElementsAre("request.refused"));
    EXPECT_THAT(decisions[0].message, HasSubstr("3 requests wait already"));
    EXPECT_THAT(decisions[0].details, testing::Contains(Pair("reason", "queue_full")));
}

TEST_F(DecisionLogTest, AnEndThatNobodyWaitsForIsNoDecision) {
    const auto ticket = waits("r", "a");
    is_granted(ticket);
    is_granted(ticket);
    log_.left(ticket);
    log_.left(99);
    EXPECT_THAT(words(log_.about_request("r")), ElementsAre("request.waits", "request.granted"));
}

TEST_F(DecisionLogTest, LoadsOfPeopleHaveNoNameAndCountForTheirModel) {
    is_granted(waits("", "a"));
    EXPECT_THAT(log_.about_request(""), IsEmpty());
    const auto decisions = log_.about_model("a");
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_THAT(decisions[0].message, HasSubstr("a load waits for 'a'"));
}

TEST_F(DecisionLogTest, ForgetsTheOldestOfEachKind) {
    happens("instance.first", "a");
    pass(asker("first-passed", "a"), 1);
    is_granted(waits("first-waited", "a"));
    const auto still = waits("still", "a");
    for (int i = 0; i < 5000; ++i) {
        happens("instance.ready", "a");
        pass(asker("p" + std::to_string(i), "a"), 1);
        is_granted(waits("w" + std::to_string(i), "a"));
    }
    EXPECT_THAT(log_.about_request("first-passed"), IsEmpty());
    EXPECT_THAT(log_.about_request("first-waited"), IsEmpty());
    EXPECT_EQ(log_.about_request("p4999").size(), 1U);
    EXPECT_EQ(log_.about_request("w4999").size(), 2U);
    const auto about = log_.about_model("a");
    EXPECT_EQ(about.size(), 512U);
    EXPECT_EQ(std::ranges::count(about, "instance.ready", &Decision::what), 256);
    is_granted(still);
    EXPECT_THAT(words(log_.about_request("still")), testing::Contains("request.granted"))
        << "who waits long is not forgotten meanwhile";
}

TEST_F(DecisionLogTest, NamesThatNeverEndCostNoMoreThanTheNewest) {
    for (int i = 0; i < 4100; ++i) {
        happens("instance.starting", "m" + std::to_string(i));
    }
    EXPECT_THAT(log_.about_model("m0"), IsEmpty());
    EXPECT_EQ(log_.about_model("m4099").size(), 1U);
    EXPECT_EQ(log_.about_model("m4").size(), 1U);
    EXPECT_THAT(log_.about_model("m3"), IsEmpty());
}

TEST_F(DecisionLogTest, TriesUnderOneIdAreOneStory) {
    is_granted(waits("r", "a"));
    happens("instance.crashed", "a");
    pass(asker("r", "a"), 8);
    EXPECT_THAT(words(log_.about_request("r")),
                ElementsAre("request.waits", "request.granted", "request.granted"));
}

}  // namespace
}  // namespace routerd
