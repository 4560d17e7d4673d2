#include "common/base/units.hpp"
#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// With [limits] max_loaded in force.
class PlacesTest : public SchedulerTest {
  protected:
    void limit(unsigned max_loaded, std::chrono::milliseconds min_residency = 0s) {
        auto rules = SchedulerTest::rules();
        rules.max_loaded = max_loaded;
        rules.min_residency = min_residency;
        take(scheduler.set_rules(rules, now));
    }
};

TEST_F(PlacesTest, EvictsTheLeastRecentlyUsedIdleModel) {
    limit(2);
    models({"a", "b", "c"});
    loaded("a");
    now += 1s;
    loaded("b");
    now += 1s;
    release(ask("a"));
    now += 1s;
    ask("c");
    EXPECT_THAT(last, ElementsAre("stop b: makes_room"));
    exited(2);
    EXPECT_THAT(last, ElementsAre("start c"));
}

TEST_F(PlacesTest, NeverEvictsThePinned) {
    limit(1);
    known["a"].pinned = true;
    models({"a", "b"});
    loaded("a");
    ask("b");
    EXPECT_THAT(last, ElementsAre("refuse 2: all_pinned"));
    EXPECT_EQ(refusal("b", std::get<Refuse>(all.back()).reason).code(), Errc::would_not_fit);
}

TEST_F(PlacesTest, WhatIsElsewhereNeedsNoPlaceAndLeavesForNobody) {
    limit(1);
    known["far"].places.counts = false;
    models({"a", "b", "far"});
    loaded("a");
    now += 1s;
    ask("far");
    EXPECT_THAT(last, ElementsAre("start far"));
    ready(2);
    EXPECT_THAT(last, ElementsAre("grant 2"));
    release(2);
    now += 1s;
    ask("b");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
    exited(1);
    EXPECT_THAT(last, ElementsAre("start b"));
}

TEST_F(PlacesTest, WhatIsElsewhereStartsWhereNothingElseCould) {
    limit(1);
    known["a"].pinned = true;
    known["far"].places.counts = false;
    models({"a", "far"});
    loaded("a");
    Ask preload;
    preload.cause = Cause::preload;
    ask("far", preload);
    EXPECT_THAT(last, ElementsAre("start far"));
    limit(1);
    EXPECT_THAT(last, IsEmpty());  // nobody is over the limit
}

TEST_F(PlacesTest, TakesTheLoadOfAServerThatWasTakenOverForWhatItsBytesCost) {
    limit(2);
    known["big"].placements = {{{"host", 40 * gib}}};
    models({"big", "small", "next"});
    Resident taken_over;
    taken_over.id = 41;
    taken_over.model = "big";
    taken_over.fingerprint = "1";
    taken_over.reserved = {{"host", 40 * gib}};
    take(scheduler.on_adopted(taken_over, {}, now));
    now += 3ms;
    ready(41);
    for (int i = 0; i < 20; ++i) {
        release(ask("big"));
        now += 10s;
    }
    const auto first = ask("small");
    now += 300ms;
    ready(42);
    release(first);
    now += 1s;
    ask("next");
    EXPECT_THAT(last, ElementsAre("stop small: makes_room"));
}

TEST_F(PlacesTest, LetsAModelJustLoadedStay) {
    limit(1, 5s);
    models({"a", "b"});
    loaded("a");
    now += 2s;
    ask("b");
    EXPECT_THAT(last, IsEmpty());
    EXPECT_EQ(wake_at, now + 3s);
    pass(3s);
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
}

TEST_F(PlacesTest, ClosesTheDoorWhenSomebodyWaitedTooLong) {
    limit(1);
    models({"a", "b"});
    const auto running = ask("a");
    ready(1);
    ask("b");
    EXPECT_EQ(wake_at, now + 5s);
    now += 1s;
    ask("a");
    pass(4s);
    EXPECT_THAT(last, ElementsAre("drain a: door_closed"));
    ask("a");
    EXPECT_THAT(last, IsEmpty());
    release(running);
    EXPECT_THAT(last, ElementsAre("stop a: door_closed"));
    exited(1);
    EXPECT_THAT(last, ElementsAre("start b")) << "though requests for a wait too";
    ready(2);
    EXPECT_THAT(last, ElementsAre("grant 2"));
    release(2);
    EXPECT_THAT(last, ElementsAre("stop b: makes_room"));
}

TEST_F(PlacesTest, OpensTheDoorAgainWhenNobodyWaitsBehindIt) {
    limit(1);
    models({"a", "b"});
    ask("a");
    ready(1);
    const auto waiter = ask("b");
    pass(5s);
    EXPECT_THAT(last, ElementsAre("drain a: door_closed"));
    ask("a");
    take(scheduler.on_leave(waiter, now));
    EXPECT_THAT(last, ElementsAre("reopen a"));
    release(1);
    EXPECT_THAT(last, ElementsAre("grant 3"));
}

TEST_F(PlacesTest, DrainsForACommandWithoutMaxWait) {
    limit(1, 5s);
    models({"a", "b"});
    ask("a");
    ready(1);
    Ask command;
    command.cause = Cause::command;
    command.needs_slot = false;
    ask("b", command);
    EXPECT_THAT(last, ElementsAre("drain a: door_closed"));
    release(1);
    exited(1);
    EXPECT_THAT(last, ElementsAre("start b"));
}

TEST_F(PlacesTest, TakesOnePlaceForEachModelThatWaits) {
    limit(2);
    models({"a", "b", "c", "d"});
    loaded("a");
    loaded("b");
    ask("c");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
    ask("c");
    EXPECT_THAT(last, IsEmpty()) << "a place is coming already";
    ask("d");
    EXPECT_THAT(last, ElementsAre("stop b: makes_room"));
    exited(2);
    EXPECT_THAT(last, ElementsAre("start c")) << "it has waited longer";
    exited(1);
    EXPECT_THAT(last, ElementsAre("start d"));
}

TEST_F(PlacesTest, PreloadsOnlyWhereThereIsRoom) {
    limit(1);
    models({"a", "b"});
    Ask preload;
    preload.cause = Cause::preload;
    ask("a", preload);
    EXPECT_THAT(last, ElementsAre("start a"));
    ask("b", preload);
    EXPECT_THAT(last, ElementsAre("refuse 2: no_room_for_extra"));
}

TEST_F(PlacesTest, ObeysALimitThatBecameSmaller) {
    limit(3);
    models({"a", "b", "c"});
    loaded("a");
    now += 1s;
    loaded("b");
    const auto busy = ask("c");
    ready(3);
    limit(1);
    EXPECT_THAT(last, ElementsAre("stop a: over_the_limit", "stop b: over_the_limit"));
    release(busy);
    EXPECT_THAT(last, IsEmpty());
}

TEST_F(PlacesTest, ObeysItAsSoonAsOneIsIdleWhereAllAreBusy) {
    limit(2);
    models({"a", "b"});
    const auto first = ask("a");
    ready(1);
    const auto second = ask("b");
    ready(2);
    limit(1);
    EXPECT_THAT(last, IsEmpty());
    release(second);
    EXPECT_THAT(last, ElementsAre("stop b: over_the_limit"));
    exited(2);
    release(first);
    EXPECT_THAT(last, IsEmpty());
}

TEST_F(PlacesTest, ShowsWhatACommandWouldEvictAndChangesNothing) {
    limit(1);
    models({"a", "b"});
    loaded("a");
    now += 90s;
    const auto plan = scheduler.plan("b", now);
    ASSERT_EQ(plan.evictions.size(), 1U);
    EXPECT_EQ(plan.evictions.front().model, "a");
    EXPECT_EQ(describe(plan.evictions.front().reason),
              "makes room for 'b'; idle for 1m 30s, and the least costly to load again");
    EXPECT_EQ(scheduler.world().residents.at(1).phase, Phase::ready);
    EXPECT_THAT(scheduler.plan("a", now).evictions, IsEmpty());
    EXPECT_TRUE(scheduler.plan("nope", now).refusal);
}

}  // namespace
}  // namespace routerd::scheduler
