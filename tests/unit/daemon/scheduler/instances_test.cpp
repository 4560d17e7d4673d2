#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Models that may run as several servers.
class InstancesTest : public SchedulerTest {
  protected:
    void two_of(const std::string& model) {
        known[model].instances = 2;
        models({model});
    }

    InstanceId where(TicketId ticket) const {
        return scheduler.world().granted.at(ticket).instance;
    }

    TicketId say(const std::string& model, std::uint64_t conversation) {
        Ask ask_for;
        ask_for.conversation = conversation;
        return ask(model, ask_for);
    }
};

TEST_F(InstancesTest, StartsAnotherServerWhenARequestFindsNoSlot) {
    two_of("a");
    loaded("a");
    ask("a");
    EXPECT_THAT(last, ElementsAre("grant 2"));
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
    EXPECT_EQ(std::get<Start>(all.back()).reason.why, Why::more_wanted);
    ready(2);
    EXPECT_THAT(last, ElementsAre("grant 3"));
    ask("a");
    EXPECT_THAT(last, IsEmpty()) << "two are all that it may have";
}

TEST_F(InstancesTest, StartsOneAtATime) {
    known["a"].instances = 3;
    models({"a"});
    loaded("a");
    for (int i = 0; i < 5; ++i) {
        ask("a");
    }
    EXPECT_EQ(scheduler.world().residents.size(), 2U);
    ready(2);
    EXPECT_EQ(scheduler.world().residents.size(), 3U) << "there are still some who wait";
}

TEST_F(InstancesTest, EvictsNobodyForAnotherServer) {
    auto rules = SchedulerTest::rules();
    rules.max_loaded = 2;
    take(scheduler.set_rules(rules, now));
    models({"b"});
    two_of("a");
    loaded("b");
    loaded("a");
    ask("a");
    ask("a");
    EXPECT_THAT(last, IsEmpty());
    pass(1h);
    EXPECT_THAT(last, IsEmpty());
}

TEST_F(InstancesTest, StartsAnotherServerAgainSomeTimeAfterOneFailed) {
    two_of("a");
    loaded("a");
    exited(1);
    now += 1s;
    loaded("a");
    ask("a");
    ask("a");
    EXPECT_THAT(last, IsEmpty()) << "it has failed just now";
    pass(10min);
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(InstancesTest, GoesToTheLeastBusy) {
    known["a"].slots = 4;
    two_of("a");
    std::vector<TicketId> tickets;
    for (int i = 0; i < 5; ++i) {
        tickets.push_back(ask("a"));
    }
    ready(1);
    ready(2);
    EXPECT_EQ(where(tickets[4]), 2U);
    EXPECT_EQ(where(ask("a")), 2U);
    EXPECT_EQ(where(ask("a")), 2U);
    release(tickets[0]);
    release(tickets[1]);
    EXPECT_EQ(where(ask("a")), 1U);
}

TEST_F(InstancesTest, SendsAConversationBackToWhereItsPrefixIs) {
    known["a"].slots = 2;
    two_of("a");
    const auto x1 = say("a", 77);
    const auto y1 = say("a", 88);
    const auto z1 = say("a", 99);
    ready(1);
    ready(2);
    const auto home_of_x = where(x1);
    const auto home_of_z = where(z1);
    ASSERT_NE(home_of_x, home_of_z);
    for (const auto ticket : {x1, y1, z1}) {
        release(ticket);
    }
    for (int i = 0; i < 3; ++i) {
        const auto z = say("a", 99);
        const auto x = say("a", 77);
        EXPECT_EQ(where(x), home_of_x);
        EXPECT_EQ(where(z), home_of_z);
        release(x);
        release(z);
    }
}

TEST_F(InstancesTest, GoesElsewhereWhenTheHomeOfAConversationIsFull) {
    two_of("a");
    const auto x = say("a", 77);
    const auto y = say("a", 88);
    ready(1);
    ready(2);
    ASSERT_EQ(where(x), 1U);
    release(y);
    EXPECT_EQ(where(say("a", 77)), 2U) << "a free slot is better than a wait";
}

TEST_F(InstancesTest, PutsTheSecondOnAnotherDevice) {
    known["a"].placements = {{{"cuda0", 10}}, {{"cuda1", 10}}};
    two_of("a");
    take(scheduler.set_budgets({{"cuda0", {100, 0}}, {"cuda1", {100, 0}}}, now));
    ask("a");
    ready(1);
    ask("a");
    const auto start = std::get<Start>(all.back());
    EXPECT_EQ(start.reserved, (Footprint{{"cuda1", 10}}));
}

TEST_F(InstancesTest, LetsTheOthersServeWhenOneFails) {
    two_of("a");
    const auto first = ask("a");
    ready(1);
    const auto second = ask("a");
    exited(2, "no memory");
    EXPECT_THAT(last, IsEmpty()) << "who waits for a slot waits on, and no third is tried";
    release(first);
    EXPECT_EQ(where(second), 1U);
}

TEST_F(InstancesTest, UnloadsThemAllOnCommand) {
    two_of("a");
    const auto first = ask("a");
    ask("a");
    ready(1);
    ready(2);
    release(first);
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_THAT(last, ElementsAre("stop a: unload_commanded", "drain a: unload_commanded"));
}

TEST_F(InstancesTest, UnloadsTheOneThatIsIdle) {
    known["a"].idle_unload = 60s;
    two_of("a");
    const auto first = ask("a");
    const auto second = ask("a");
    ready(1);
    ready(2);
    release(second);
    pass(61s);
    EXPECT_THAT(last, ElementsAre("stop a: idle_too_long"));
    EXPECT_EQ(scheduler.world().residents.at(where(first)).phase, Phase::ready);
}

TEST_F(InstancesTest, EvictsTheSpareServerBeforeTheOnlyOne) {
    known["b"].placements = {{{"host", 10}}};
    known["c"].placements = {{{"host", 10}}};
    known["a"].placements = {{{"host", 10}}};
    models({"b", "c"});
    two_of("a");
    take(scheduler.set_budgets({{"host", {30, 0}}}, now));
    const auto a1 = ask("a");
    const auto a2 = ask("a");
    now += 1s;
    ready(1);
    ready(2);
    release(a1);
    release(a2);
    ask("b");
    now += 1s;
    ready(3);
    release(3);
    now += 1s;
    release(ask("b"));
    release(ask("a"));
    ask("c");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
}

TEST_F(InstancesTest, KeepsGroupsApart) {
    auto rules = SchedulerTest::rules();
    rules.groups["coders"] = 1;
    take(scheduler.set_rules(rules, now));
    known["a"].places.groups = {"coders"};
    known["b"].places.groups = {"coders"};
    models({"a", "b", "c"});
    const auto a = loaded("a");
    loaded("c");
    ask("b");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room")) << "not c, which is not of the group";
    exited(a);
    EXPECT_THAT(last, ElementsAre("start b"));
}

TEST_F(InstancesTest, UnloadsWhatANewGroupDoesNotAllow) {
    models({"a", "b"});
    loaded("a");
    loaded("b");
    release(ask("b"));
    auto rules = SchedulerTest::rules();
    rules.groups["coders"] = 1;
    known["a"].places.groups = {"coders"};
    known["b"].places.groups = {"coders"};
    models({});
    take(scheduler.set_rules(rules, now));
    EXPECT_THAT(last, ElementsAre("stop a: over_the_limit")) << "not b, which is used more";
}

TEST_F(InstancesTest, MakesAnIdleModelLeaveForOtherProcessesWhenAskedTo) {
    known["a"].placements = {{{"host", 40}}};
    known["b"].placements = {{{"host", 40}}};
    models({"a", "b"});
    take(scheduler.set_budgets({{"host", {100, 0}}}, now));
    loaded("a");
    const auto b = loaded("b");
    const auto busy = ask("b");
    take(scheduler.set_budgets({{"host", {100, 50}}}, now));
    EXPECT_THAT(last, IsEmpty());

    auto rules = SchedulerTest::rules();
    rules.yield_to_others = true;
    take(scheduler.set_rules(rules, now));
    EXPECT_THAT(last, ElementsAre("stop a: yields"));
    exited(1);
    take(scheduler.set_budgets({{"host", {100, 90}}}, now));
    EXPECT_THAT(last, IsEmpty()) << "it works";
    release(busy);
    EXPECT_THAT(last, ElementsAre("stop b: yields"));
    EXPECT_EQ(scheduler.world().residents.at(b).phase, Phase::stopping);
}

}  // namespace
}  // namespace routerd::scheduler
