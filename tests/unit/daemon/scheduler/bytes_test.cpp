#include "common/base/units.hpp"
#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// With memory of known size.
class BytesTest : public SchedulerTest {
  protected:
    void budget(const std::string& device, std::uint64_t usable, std::uint64_t foreign = 0) {
        budgets[device] = {usable * gib, foreign * gib};
        take(scheduler.set_budgets(budgets, now));
    }

    void needs(const std::string& model, std::uint64_t host) {
        known[model].placements = {{{"host", host * gib}}};
    }

    /// A model that is ready and idle, and took `time` to load.
    InstanceId loaded_in(const std::string& model, std::chrono::milliseconds time) {
        const auto ticket = ask(model);
        const auto instance = scheduler.world().resident_of(model)->id;
        now += time;
        ready(instance);
        release(ticket);
        return instance;
    }

    std::map<std::string, Budget> budgets;
};

TEST_F(BytesTest, StartsWhatFitsBesideTheOthers) {
    budget("host", 10);
    needs("a", 4);
    needs("b", 6);
    needs("c", 1);
    models({"a", "b", "c"});
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
    ask("b");
    EXPECT_THAT(last, ElementsAre("start b")) << "bytes that are exactly there";
    ask("c");
    EXPECT_THAT(last, IsEmpty());
    EXPECT_EQ(std::get<Start>(all[1]).reserved, (Footprint{{"host", 6 * gib}}));
}

TEST_F(BytesTest, EvictsOnlyWhatIsNeededAndNotBeforeItEnded) {
    budget("host", 10);
    needs("a", 3);
    needs("b", 3);
    needs("c", 3);
    needs("d", 4);
    models({"a", "b", "c", "d"});
    loaded("a");
    now += 1s;
    loaded("b");
    now += 1s;
    loaded("c");
    now += 1s;
    ask("d");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
    ask("d");
    EXPECT_THAT(last, IsEmpty());
    exited(1);
    EXPECT_THAT(last, ElementsAre("start d"));
}

TEST_F(BytesTest, EvictsTheOneThatFreesEnoughRatherThanManyThatDoNot) {
    budget("host", 10);
    for (const auto* small : {"a", "b", "c", "d"}) {
        needs(small, 1);
    }
    needs("large", 6);
    needs("new", 6);
    models({"a", "b", "c", "d", "large", "new"});
    for (const auto* small : {"a", "b", "c", "d"}) {
        loaded_in(small, 100ms);
    }
    loaded_in("large", 150ms);
    ask("new");
    EXPECT_THAT(last, ElementsAre("stop large: makes_room"));
}

TEST_F(BytesTest, PrefersToEvictWhatLoadsFast) {
    budget("host", 10);
    needs("slow", 5);
    needs("fast", 5);
    needs("new", 5);
    models({"slow", "fast", "new"});
    loaded_in("slow", 60s);
    loaded_in("fast", 1s);
    ask("new");
    EXPECT_THAT(last, ElementsAre("stop fast: makes_room")) << "though it was used later";
}

TEST_F(BytesTest, PrefersToEvictWhatIsSeldomAskedFor) {
    budget("host", 10);
    needs("often", 5);
    needs("seldom", 5);
    needs("new", 5);
    models({"often", "seldom", "new"});
    loaded_in("often", 1s);
    for (int i = 0; i < 20; ++i) {
        release(ask("often"));
        now += 1s;
    }
    loaded_in("seldom", 1s);
    ask("new");
    EXPECT_THAT(last, ElementsAre("stop seldom: makes_room")) << "though it was used later";
}

TEST_F(BytesTest, RefusesAtOnceWhatWouldNeverFitAndEvictsNothingForIt) {
    budget("host", 10);
    needs("a", 4);
    needs("huge", 12);
    models({"a", "huge"});
    loaded("a");
    ask("huge");
    EXPECT_THAT(last, ElementsAre("refuse 2: would_not_fit"));
    const auto error = refusal("huge", std::get<Refuse>(all.back()).reason);
    EXPECT_EQ(error.code(), Errc::would_not_fit);
    EXPECT_EQ(error.message(),
              "load 'huge': it needs 12 GiB on 'host', where 10 GiB are left for models");
    ASSERT_NE(error.fit(), nullptr);
    EXPECT_EQ(error.fit()->required, 12 * gib);
    EXPECT_EQ(error.fit()->available, 10 * gib);
    EXPECT_THAT(error.fit()->loaded, ElementsAre("a"));
}

TEST_F(BytesTest, CountsWhatOthersUse) {
    budget("host", 10, 5);
    needs("a", 4);
    needs("b", 6);
    models({"a", "b"});
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
    ask("b");
    EXPECT_THAT(last, IsEmpty()) << "a moment's crowd is no reason to refuse";
    pass(5s);
    EXPECT_THAT(last, ElementsAre("refuse 2: would_not_fit"));
    EXPECT_THAT(describe(std::get<Refuse>(all.back()).reason),
                HasSubstr("other processes use 5.0 GiB there"));
    budget("host", 12, 2);
    ask("b");
    EXPECT_THAT(last, ElementsAre("start b"));
}

TEST_F(BytesTest, WaitsForNobodyOnADeviceThatDoesNotConcernIt) {
    budget("gpu0", 8);
    budget("gpu1", 8);
    known["a"].placements = {{{"gpu0", 6 * gib}}};
    known["b"].placements = {{{"gpu0", 7 * gib}}};
    known["c"].placements = {{{"gpu1", 7 * gib}}};
    models({"a", "b", "c"});
    ask("a");
    ready(1);
    ask("b");
    pass(5s);
    EXPECT_THAT(last, ElementsAre("drain a: door_closed"));
    ask("c");
    EXPECT_THAT(last, ElementsAre("start c"));
}

TEST_F(BytesTest, KeepsWhatLeavesForWhomItLeaves) {
    budget("host", 10);
    needs("a", 6);
    needs("b", 8);
    needs("small", 3);
    models({"a", "b", "small"});
    loaded("a");
    ask("b");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
    ask("small");
    EXPECT_THAT(last, IsEmpty()) << "it would fit now, and b would not any more";
    exited(1);
    EXPECT_THAT(last, ElementsAre("start b"));
}

TEST_F(BytesTest, TakesTheFirstPlacementThatFits) {
    budget("gpu0", 8);
    budget("host", 32);
    known["a"].placements = {{{"gpu0", 4 * gib}}};
    known["a"].pinned = true;
    known["b"].placements = {{{"gpu0", 6 * gib}}, {{"gpu0", 3 * gib}, {"host", 4 * gib}}};
    known["c"].placements = {{{"gpu0", 2 * gib}}};
    models({"a", "b", "c"});
    loaded("b");
    EXPECT_EQ(scheduler.world().residents.at(1).reserved, (Footprint{{"gpu0", 6 * gib}}));
    ask("a");
    exited(1);
    ready(2);
    loaded("c");
    ask("b");
    EXPECT_THAT(last, ElementsAre("stop c: makes_room")) << "half of it fits beside a";
    exited(3);
    EXPECT_THAT(last, ElementsAre("start b"));
    EXPECT_EQ(std::get<Start>(all.back()).reserved,
              (Footprint{{"gpu0", 3 * gib}, {"host", 4 * gib}}));
}

TEST_F(BytesTest, NamesThePinnedThatAreInTheWay) {
    budget("host", 10);
    needs("a", 6);
    needs("b", 6);
    known["a"].pinned = true;
    models({"a", "b"});
    loaded("a");
    ask("b");
    EXPECT_THAT(last, ElementsAre("refuse 2: all_pinned"));
    EXPECT_THAT(describe(std::get<Refuse>(all.back()).reason),
                HasSubstr("needs 6.0 GiB on 'host', where 4.0 GiB are left beside pinned models"));
}

TEST_F(BytesTest, ReservesWhatIsReallyHeld) {
    budget("host", 10);
    needs("a", 4);
    needs("b", 5);
    models({"a", "b"});
    loaded("a");
    take(scheduler.on_measured(1, {{"host", 6 * gib}}, now));
    ask("b");
    EXPECT_THAT(last, ElementsAre("stop a: makes_room"));
}

TEST_F(BytesTest, PreloadsOnlyWhatFitsBesideTheOthers) {
    budget("host", 10);
    needs("a", 6);
    needs("b", 6);
    models({"a", "b"});
    Ask preload;
    preload.cause = Cause::preload;
    ask("a", preload);
    ask("b", preload);
    EXPECT_THAT(last, ElementsAre("refuse 2: no_room_for_extra"));
}

}  // namespace
}  // namespace routerd::scheduler
