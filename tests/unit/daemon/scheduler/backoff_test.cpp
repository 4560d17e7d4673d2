#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Fails to load `times` times, each as soon as it may; the pauses between.
class BackoffTest : public SchedulerTest {
  protected:
    std::vector<std::chrono::seconds> fail_to_load(int times) {
        std::vector<std::chrono::seconds> pauses;
        for (int i = 0; i < times; ++i) {
            ask("a");
            EXPECT_EQ(last, std::vector<std::string>{"start a"});
            exited(scheduler.world().resident_of("a")->id);
            const auto until = scheduler.world().failures.at("a").until;
            pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(until - now));
            now = until;
        }
        return pauses;
    }
};

TEST_F(BackoffTest, WaitsTwiceAsLongAfterEachFailedLoadUpToAMinute) {
    models({"a"});
    EXPECT_THAT(fail_to_load(9), ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s));
}

TEST_F(BackoffTest, AddsAQuarterOfJitterAtMost) {
    Resident failed;
    const auto failure = after_failure({}, failed, {"", 1.0}, now);
    EXPECT_EQ(failure.until - now, 1250ms);
}

TEST_F(BackoffTest, StartsAtMost16TimesInTenMinutes) {
    auto rules = SchedulerTest::rules();
    rules.quarantine_after = 1000;
    take(scheduler.set_rules(rules, now));
    models({"a"});
    const auto end = now + 10min;
    int starts = 0;
    while (now < end) {
        ask("a");
        if (!last.empty() && last.front() == "start a") {
            ++starts;
            exited(scheduler.world().resident_of("a")->id);
        }
        now += 100ms;
    }
    EXPECT_LE(starts, 16);
}

TEST_F(BackoffTest, PutsWhatFailsAgainAndAgainIntoQuarantine) {
    models({"a"});
    fail_to_load(10);
    now += 24h;
    ask("a");
    EXPECT_THAT(last, ElementsAre("refuse 11: quarantined"));
    const auto error = refusal("a", std::get<Refuse>(all.back()).reason);
    EXPECT_EQ(error.code(), Errc::quarantined);
    EXPECT_THAT(error.message(), HasSubstr("it broke"));
    EXPECT_TRUE(error.retry_after());

    EXPECT_EQ(scheduler.forget_failures("a"), "it broke");
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(BackoffTest, EndsTheQuarantineOfAModelWhoseSettingsChanged) {
    models({"a"});
    fail_to_load(10);
    known["a"].fingerprint = "2";
    models({});
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(BackoffTest, TakesAGoodModelsPlaceForABrokenOneOnlyOnce) {
    auto rules = SchedulerTest::rules();
    rules.max_loaded = 1;
    take(scheduler.set_rules(rules, now));
    models({"broken", "good"});
    const auto good = loaded("good");
    ask("broken");
    EXPECT_THAT(last, ElementsAre("stop good: makes_room"));
    exited(good);
    exited(2);
    const auto again = loaded("good");
    now += 1h;
    ask("broken");
    EXPECT_THAT(last, ElementsAre("refuse 4: failed_before"));
    EXPECT_EQ(refusal("broken", std::get<Refuse>(all.back()).reason).code(), Errc::load_failed);

    // A person may say otherwise, and where there is room it is tried.
    Ask command;
    command.cause = Cause::command;
    ask("broken", command);
    EXPECT_THAT(last, ElementsAre("stop good: makes_room"));
    exited(again);
    EXPECT_THAT(last, ElementsAre("start broken"));
}

TEST_F(BackoffTest, TrustsAModelAgainThatLoadedAfterAll) {
    auto rules = SchedulerTest::rules();
    rules.max_loaded = 1;
    take(scheduler.set_rules(rules, now));
    models({"a", "b"});
    fail_to_load(1);
    const auto a = loaded("a");
    const auto b_ticket = ask("b");
    exited(a);
    const auto b = scheduler.world().resident_of("b")->id;
    ready(b);
    release(b_ticket);
    ask("a");
    EXPECT_THAT(last, ElementsAre("stop b: makes_room"));
}

TEST_F(BackoffTest, TellsAllWhoWaitedWhyTheLoadFailed) {
    models({"a"});
    ask("a");
    ask("a");
    exited(1, "no such file");
    EXPECT_THAT(last, ElementsAre("refuse 1: start_failed", "refuse 2: start_failed"));
    EXPECT_EQ(refusal("a", std::get<Refuse>(all.back()).reason).message(),
              "load 'a': no such file");
}

TEST_F(BackoffTest, RefusesAtOnceWhileItBacksOff) {
    models({"a"});
    fail_to_load(3);
    ask("a");
    exited(scheduler.world().resident_of("a")->id, "no such file");
    now += 3s;
    ask("a");
    EXPECT_THAT(last, ElementsAre(StartsWith("refuse")));
    const auto error = refusal("a", std::get<Refuse>(all.back()).reason);
    EXPECT_EQ(error.code(), Errc::load_failed);
    EXPECT_EQ(error.retry_after(), 5s);
    EXPECT_THAT(error.message(), HasSubstr("failed 4 times"));
    EXPECT_THAT(error.message(), HasSubstr("no such file"));
}

TEST_F(BackoffTest, StartsACrashedServerAgainForTheNextRequest) {
    models({"a"});
    ask("a");
    ready(1);
    ask("a");
    exited(1);
    EXPECT_THAT(last, ElementsAre("start a")) << "for the one that waited";
    ready(2);
    exited(2);
    ask("a");
    EXPECT_THAT(last, ElementsAre("refuse 3: backing_off")) << "the second time in a row";
    now += 1s;
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(BackoffTest, ForgetsFailuresAfterTenMinutesOfHealth) {
    models({"a"});
    fail_to_load(5);
    ask("a");
    ready(scheduler.world().resident_of("a")->id);
    now += 10min;
    exited(scheduler.world().resident_of("a")->id);
    EXPECT_EQ(scheduler.world().failures.at("a").count, 1U);
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(BackoffTest, ForgetsFailuresBeforeAServerThatWasHealthyUntilItWasToldToGo) {
    models({"a"});
    for (int day = 0; day < 20; ++day) {
        fail_to_load(1);
        now += 24h;
        const auto server = loaded("a");
        EXPECT_EQ(scheduler.world().failures.size(), 1U);
        take(scheduler.on_command("a", Scheduler::Command::unload, now));
        exited(server);
        EXPECT_TRUE(scheduler.world().failures.empty());
    }
    fail_to_load(1);
    now += 24h;
    ask("a");
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    exited(scheduler.world().resident_of("a")->id);
    EXPECT_EQ(scheduler.world().failures.size(), 1U) << "it never came to serve";
}

TEST_F(BackoffTest, ForgetsFailuresWhileAServerIsHealthy) {
    models({"a"});
    fail_to_load(3);
    loaded("a");
    pass(10min - 1s);
    EXPECT_EQ(scheduler.world().failures.at("a").count, 3U);
    pass(1s);
    EXPECT_TRUE(scheduler.world().failures.empty());
}

TEST_F(BackoffTest, ForgetsFailuresOnResetAndWhenTheCommandLineChanges) {
    models({"a"});
    fail_to_load(3);
    EXPECT_EQ(scheduler.forget_failures("a"), "it broke");
    EXPECT_EQ(scheduler.forget_failures("a"), "");
    fail_to_load(3);
    known["a"].fingerprint = "2";
    take(scheduler.set_models(known, now));
    ask("a");
    EXPECT_THAT(last, ElementsAre("start a"));
}

TEST_F(BackoffTest, CountsNoFailureWhenItWasToldToStop) {
    models({"a"});
    loaded("a");
    take(scheduler.on_command("a", Scheduler::Command::unload, now));
    exited(1);
    EXPECT_TRUE(scheduler.world().failures.empty());
}

TEST_F(BackoffTest, GivesItsPlaceToOthersWhileItBacksOff) {
    auto rules = SchedulerTest::rules();
    rules.max_loaded = 1;
    take(scheduler.set_rules(rules, now));
    models({"a", "b"});
    ask("a");
    ask("b");
    exited(1);
    EXPECT_THAT(last, ElementsAre("refuse 1: start_failed", "start b"));
    ready(2);
    release(2);
    ask("a");  // fails fast and evicts nobody
    EXPECT_THAT(last, ElementsAre("refuse 3: backing_off"));
}

}  // namespace
}  // namespace routerd::scheduler
