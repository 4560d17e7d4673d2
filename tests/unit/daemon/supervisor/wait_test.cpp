#include "daemon/supervisor/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Pair;

/// Models `a` and `b` of one slot each, which stay for an hour once they are loaded.
class WaitTest : public testing::Test {
  protected:
    WaitTest() {
        rules_.min_residency = 1h;
        models_["a"].slots = 1;
        models_["b"].slots = 1;
    }

    void begin() {
        scheduler_.set_rules(rules_, now_);
        scheduler_.set_models(models_, now_);
    }

    scheduler::TicketId ask(const std::string& model) {
        scheduler::Ask ask;
        ask.ticket = ++ticket_;
        ask.model = model;
        scheduler_.on_request(ask, now_);
        return ticket_;
    }

    Wait wait_of(scheduler::TicketId ticket) const { return what_it_waits_for(scheduler_, ticket); }

    scheduler::Rules rules_;
    std::map<std::string, scheduler::ModelRules> models_;
    scheduler::Scheduler scheduler_{scheduler::Rules()};
    TimePoint now_ = TimePoint() + 1h;
    scheduler::TicketId ticket_ = 0;
};

TEST_F(WaitTest, ForTheLoadThenForTheSlotOfTheOneBefore) {
    begin();
    const auto first = ask("a");
    const auto second = ask("a");
    EXPECT_EQ(wait_of(first).why, Wait::Why::loading);
    EXPECT_EQ(describe(wait_of(second)), "its server is loading; 1 is before it");
    scheduler_.on_ready(wait_of(first).instance, now_);
    EXPECT_EQ(wait_of(second).why, Wait::Why::no_slot);
    EXPECT_EQ(describe(wait_of(second)), "the only slot is taken");
    EXPECT_THAT(details(wait_of(second)), Contains(Pair("waits_for", "no_slot")));
    EXPECT_EQ(wait_of(first).why, Wait::Why::turn) << "it was granted and waits for nothing";
}

TEST_F(WaitTest, ForAPlace) {
    rules_.max_loaded = 1;
    begin();
    scheduler_.on_ready(wait_of(ask("a")).instance, now_);
    const auto wait = wait_of(ask("b"));
    EXPECT_EQ(wait.why, Wait::Why::no_place);
    EXPECT_EQ(wait.limit, 1U);
    EXPECT_EQ(describe(wait),
              "1 server of models runs, which is the limit (max_loaded), and none of them may go "
              "yet");
}

TEST_F(WaitTest, ForAPlaceInTheModelsGroup) {
    rules_.max_loaded = 5;
    rules_.groups["big"] = 1;
    models_["a"].places.groups = {"big"};
    models_["b"].places.groups = {"big"};
    begin();
    scheduler_.on_ready(wait_of(ask("a")).instance, now_);
    const auto wait = wait_of(ask("b"));
    EXPECT_EQ(wait.why, Wait::Why::no_place);
    EXPECT_EQ(wait.limit, 1U);
    EXPECT_EQ(wait.group, "big");
}

TEST_F(WaitTest, ForRoom) {
    models_["a"].placements = {{{"host", 3 * gib}}};
    models_["b"].placements = {{{"host", 2 * gib}}};
    begin();
    scheduler_.set_budgets({{"host", {.usable = 4 * gib}}}, now_);
    scheduler_.on_ready(wait_of(ask("a")).instance, now_);
    const auto wait = wait_of(ask("b"));
    EXPECT_EQ(wait.why, Wait::Why::no_room);
    EXPECT_EQ(describe(wait),
              "it needs 2.0 GiB on 'host', where 1.0 GiB are free, and nothing there may go yet");
}

}  // namespace
}  // namespace routerd
