#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SchedulerTest, SharesOneLoadAmongAllWhoWait) {
    models({"a"});
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
    ask("a");
    EXPECT_THAT(last, IsEmpty());
    ready(1);
    EXPECT_THAT(last, ElementsAre("grant 1"));
    release(1);
    EXPECT_THAT(last, ElementsAre("grant 2"));
}

TEST_F(SchedulerTest, GrantsAsManyAsThereAreSlots) {
    known["a"].slots = 2;
    models({"a"});
    ask("a");
    ask("a");
    ask("a");
    EXPECT_EQ(scheduler.position(3), 3U);
    ready(1);
    EXPECT_THAT(last, ElementsAre("grant 1", "grant 2"));
    EXPECT_EQ(scheduler.position(3), 1U);
    release(2);
    EXPECT_THAT(last, ElementsAre("grant 3"));
}

TEST_F(SchedulerTest, NeedsNoSlotForWhatDoesNotRunTheModel) {
    models({"a"});
    loaded("a");
    ask("a");
    Ask small;
    small.needs_slot = false;
    ask("a", small);
    EXPECT_THAT(last, ElementsAre("grant 3"));
    EXPECT_EQ(scheduler.world().residents.at(1).passengers, 1U);
}

TEST_F(SchedulerTest, GoesOnLoadingWhenAllRequestersLeave) {
    models({"a"});
    ask("a");
    take(scheduler.on_leave(1, now));
    EXPECT_THAT(last, IsEmpty());
    ready(1);
    EXPECT_EQ(scheduler.world().residents.at(1).phase, Phase::ready);
}

TEST_F(SchedulerTest, LetsHighPriorityPassAndLowPriorityAge) {
    models({"a"});
    loaded("a");
    ask("a");
    Ask low;
    low.priority = Priority::low;
    ask("a", low);  // 3
    ask("a");       // 4
    Ask high;
    high.priority = Priority::high;
    ask("a", high);  // 5
    release(2);
    EXPECT_THAT(last, ElementsAre("grant 5"));
    now += 31s;
    ask("a");  // 6: the low one has waited for long enough to be in its band, and came before
    std::vector<std::string> order;
    for (const TicketId ticket : {5U, 4U, 3U}) {
        release(ticket);
        order.insert(order.end(), last.begin(), last.end());
    }
    EXPECT_THAT(order, ElementsAre("grant 4", "grant 3", "grant 6"));
}

TEST_F(SchedulerTest, RefusesWhatItDoesNotKnowAndWhatIsTooMuch) {
    auto rules = SchedulerTest::rules();
    rules.queue_size = 2;
    take(scheduler.set_rules(rules, now));
    models({"a"});
    ask("b");
    EXPECT_THAT(last, ElementsAre("refuse 1: unknown_model"));
    ask("a");
    ask("a");
    ask("a");
    EXPECT_THAT(last, ElementsAre("refuse 4: queue_full"));
    const auto error = refusal("a", std::get<Refuse>(all.back()).reason);
    EXPECT_EQ(error.code(), Errc::queue_full);
    EXPECT_GE(error.retry_after()->count(), 1);
}

TEST_F(SchedulerTest, TellsWhenAFullQueueMayHaveRoom) {
    auto rules = SchedulerTest::rules();
    rules.queue_size = 4;
    take(scheduler.set_rules(rules, now));
    models({"a"});
    const auto first = ask("a");
    ready(1);
    now += 3s;  // a request takes 3 s here
    release(first);
    for (int i = 0; i < 6; ++i) {
        ask("a");
    }
    EXPECT_EQ(refusal("a", std::get<Refuse>(all.back()).reason).retry_after(), 12s);
}

TEST_F(SchedulerTest, RefusesAtTheDeadline) {
    models({"a"});
    Ask hasty;
    hasty.deadline = now + 3s;
    ask("a", hasty);
    EXPECT_EQ(wake_at, now + 3s);
    pass(3s);
    EXPECT_THAT(last, ElementsAre("refuse 1: deadline_passed"));
    ask("a", hasty);
    EXPECT_THAT(last, ElementsAre("refuse 2: deadline_passed"));
}

TEST_F(SchedulerTest, UnloadsAfterIdlenessUnlessPinned) {
    known["a"].idle_unload = 60s;
    known["b"].idle_unload = 60s;
    known["b"].pinned = true;
    models({"a", "b"});
    loaded("a");
    loaded("b");
    EXPECT_EQ(wake_at, now + 60s);
    pass(59s);
    EXPECT_THAT(last, IsEmpty());
    const auto ticket = ask("a");
    pass(60s);
    EXPECT_THAT(last, IsEmpty()) << "busy is not idle";
    release(ticket);
    pass(60s);
    EXPECT_THAT(last, ElementsAre("stop a: idle_too_long"));
}

TEST_F(SchedulerTest, FinishesWhatRunsBeforeACommandUnloads) {
    models({"a"});
    ask("a");
    ready(1);
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_THAT(last, ElementsAre("drain a: unload_commanded"));
    ask("a");
    EXPECT_THAT(last, IsEmpty()) << "no new grant on a draining server";
    release(1);
    EXPECT_THAT(last, ElementsAre("stop a: unload_commanded"));
    exited(1);
    EXPECT_THAT(last, ElementsAre("start a")) << "for the request that came meanwhile";
}

TEST_F(SchedulerTest, DoesNotDrainForEverForACommand) {
    models({"a"});
    ask("a");
    ready(1);
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_EQ(wake_at, now + 30s);
    pass(30s);
    EXPECT_THAT(last, ElementsAre("stop a: drain_timed_out"));
}

TEST_F(SchedulerTest, RefusesThoseWhoWaitForALoadThatACommandStops) {
    models({"a"});
    ask("a");
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_THAT(last, ElementsAre("refuse 1: stopped_loading", "stop a: unload_commanded"));
}

TEST_F(SchedulerTest, DrainsWhatChangedAndRefusesWhatIsGone) {
    models({"a", "b", "c"});
    loaded("a");
    ask("b");
    ready(2);
    ask("c");
    known["a"].fingerprint = "2";
    known["b"].pinned = true;  // no other command line
    known.erase("c");
    take(scheduler.set_models(known, now));
    EXPECT_THAT(last, ElementsAre("refuse 3: unknown_model", "stop a: settings_changed",
                                  "stop c: model_gone"));
    known["b"].fingerprint = "";  // not known now: no reason to stop it
    take(scheduler.set_models(known, now));
    EXPECT_THAT(last, IsEmpty());
}

TEST_F(SchedulerTest, ShutsDownInOrder) {
    models({"a", "b", "c"});
    loaded("a");
    const auto busy = ask("b");
    ready(2);
    ask("c");
    take(scheduler.on_shutdown(now));
    EXPECT_THAT(last, ElementsAre("refuse 3: shutting_down", "stop a: shutting_down",
                                  "drain b: shutting_down", "stop c: shutting_down"));
    ask("a");
    EXPECT_THAT(last, ElementsAre("refuse 4: shutting_down"));
    release(busy);
    EXPECT_THAT(last, ElementsAre("stop b: shutting_down"));
}

TEST_F(SchedulerTest, StopsAllAtOnceWhenItIsInAHurry) {
    models({"a"});
    ask("a");
    ready(1);
    take(scheduler.on_hurry(now));
    EXPECT_THAT(last, ElementsAre("drain a: shutting_down", "stop a: shutting_down"));
}

TEST_F(SchedulerTest, ServesFromWhatAnEarlierDaemonStarted) {
    models({"a"});
    Resident resident;
    resident.id = 41;
    resident.model = "a";
    resident.fingerprint = "1";
    take(scheduler.on_adopted(resident, {}, now));
    ready(41);
    ask("a");
    EXPECT_THAT(last, ElementsAre("grant 1"));
    loaded("a");
    EXPECT_EQ(scheduler.world().next_instance, 42U);
}

TEST_F(SchedulerTest, LetsWhatRunsFromTheDaemonBeforeEndThoughItsModelWasChanged) {
    models({"a"});
    Resident resident;
    resident.id = 41;
    resident.model = "a";
    resident.fingerprint = "of another command line";
    take(scheduler.on_adopted(resident, {{70, "", true}}, now));
    take(scheduler.set_models(known, now));
    EXPECT_THAT(last, ElementsAre("drain a: settings_changed"));
    ready(41);
    ask("a");
    EXPECT_THAT(last, IsEmpty()) << "it is for the next server";
    release(70);
    EXPECT_THAT(last, ElementsAre("stop a: settings_changed"));
    exited(41);
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(SchedulerTest, KeepsTheSoonerDeadlineOfTwoDrains) {
    models({"a"});
    ask("a");
    ready(1);
    known["a"].fingerprint = "2";
    take(scheduler.set_models(known, now));
    EXPECT_THAT(last, ElementsAre("drain a: settings_changed"));
    take(scheduler.set_models(known, now));
    EXPECT_THAT(last, IsEmpty()) << "it knows";
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_THAT(last, ElementsAre("drain a: unload_commanded"));
    EXPECT_EQ(wake_at, now + 30s);
    now += 10s;
    take(scheduler.set_models(known, now));
    take(scheduler.on_command("a", Scheduler::Command::restart, now));
    EXPECT_THAT(last, IsEmpty());
    pass(20s);
    EXPECT_THAT(last, ElementsAre("stop a: drain_timed_out"));
}

TEST_F(SchedulerTest, KnowsWhatStillRunsFromTheDaemonBefore) {
    models({"a"});
    Resident resident;
    resident.id = 41;
    resident.model = "a";
    resident.fingerprint = "1";
    take(scheduler.on_adopted(resident, {{70, "", true}, {71, "", false}}, now));
    ready(41);
    ask("a");
    EXPECT_THAT(last, IsEmpty()) << "its one slot is taken";
    release(70);
    EXPECT_THAT(last, ElementsAre("grant 1"));
    release(1);
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    EXPECT_THAT(last, ElementsAre("drain a: unload_commanded")) << "a request still runs";
    release(71);
    EXPECT_THAT(last, ElementsAre("stop a: unload_commanded"));
}

}  // namespace
}  // namespace routerd::scheduler
