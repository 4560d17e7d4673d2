#include "daemon/net/wake_policy.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

namespace routerd::test {
namespace {

using namespace std::chrono_literals;

TEST(ProcessorTimeTest, ReadsWhatTheKernelWrites) {
    const auto time = processor_time_in("14593711 1500000 81\n");
    ASSERT_TRUE(time);
    EXPECT_EQ(time->ran, 14593711ns);
    EXPECT_EQ(time->waited, 1500us);
    EXPECT_EQ(time->times, 81U);
}

TEST(ProcessorTimeTest, TakesNothingElse) {
    for (const auto* text : {"", "\n", "1 2", "1 2 ", "1 2 3 4", "1 2 -3", "1  2 3",
                             "one two three", "99999999999999999999 2 3"}) {
        EXPECT_FALSE(processor_time_in(text)) << text;
    }
}

/// A loop that a WakeChoice is asked for each second.
class WakeChoiceTest : public testing::Test {
  protected:
    /// A second in which it ran and waited so long, this many times.
    bool is_polite_after(std::chrono::nanoseconds ran, std::chrono::nanoseconds waited,
                         std::uint64_t times) {
        now_ += 1s;
        total_.ran += ran;
        total_.waited += waited;
        total_.times += times;
        return choice_.is_polite(now_, total_);
    }

    bool is_polite_after_waits() { return is_polite_after(20ms, 150ms, 100); }
    bool is_polite_without_waits() { return is_polite_after(20ms, 1ms, 100); }

    /// Seconds until it is polite again, without waits.
    int pause() {
        int seconds = 1;
        while (!is_polite_without_waits()) {
            ++seconds;
        }
        return seconds;
    }

    bool is_polite_first() { return choice_.is_polite(now_, total_); }

    TimePoint now_{1h};
    ProcessorTime total_{.ran = 7s, .waited = 900s, .times = 3000};
    WakeChoice choice_;
};

TEST_F(WakeChoiceTest, IsPoliteAtFirstAndWhileItNeedNotWait) {
    EXPECT_TRUE(is_polite_first()) << "what was before is not its own";
    EXPECT_TRUE(is_polite_without_waits());
    EXPECT_TRUE(is_polite_without_waits());
}

TEST_F(WakeChoiceTest, PausesWhenItHadToWait) {
    is_polite_first();
    EXPECT_FALSE(is_polite_after_waits());
    EXPECT_EQ(pause(), 8);
    EXPECT_TRUE(is_polite_without_waits());
}

TEST_F(WakeChoiceTest, PausesLongerEachTimeUntilItNeedNotWait) {
    is_polite_first();
    for (const int seconds : {8, 16, 32, 64, 64}) {
        EXPECT_FALSE(is_polite_after_waits());
        EXPECT_EQ(pause(), seconds);
    }
    EXPECT_TRUE(is_polite_without_waits()) << "those who computed have gone";
    EXPECT_FALSE(is_polite_after_waits());
    EXPECT_EQ(pause(), 8);
}

TEST_F(WakeChoiceTest, WaitsOfALoopThatIsBusyItselfAreNoReason) {
    is_polite_first();
    EXPECT_TRUE(is_polite_after(300ms, 500ms, 300));
    EXPECT_FALSE(is_polite_after(200ms, 500ms, 300));
}

TEST_F(WakeChoiceTest, AFewWaitsOrALongTimeWithoutTurnsTellNothing) {
    is_polite_first();
    EXPECT_TRUE(is_polite_after(1ms, 15ms, 9));
    now_ += 1s;
    EXPECT_TRUE(is_polite_after_waits());
    EXPECT_FALSE(is_polite_after_waits()) << "but that is where it starts from";
}

/// Of a thread of its own that had the policy `before`: what it has after each of these seconds of
/// turns, by the figures of `source`.
std::vector<int> policies(int before, std::size_t seconds, WakePolicy::Source source) {
    std::vector<int> found;
    std::thread([&] {
        const sched_param none{};
        ASSERT_EQ(::sched_setscheduler(0, before, &none), 0);
        WakePolicy policy(source);
        for (TimePoint now{1h}; found.size() < seconds; now += 1s) {
            policy.on_turn(now);
            found.push_back(::sched_getscheduler(0));
        }
    }).join();
    return found;
}

int policy_after_turn(int before) {
    return policies(before, 1, own_processor_time).back();
}

/// Of a loop that waits a millisecond each time in one second, and not before or after.
std::optional<ProcessorTime> waits_for_a_second() noexcept {
    static thread_local std::uint64_t seconds = 0;
    ++seconds;
    return ProcessorTime{
        .ran = seconds * 20ms, .waited = seconds < 3 ? 0ms : 100ms, .times = seconds * 100};
}

TEST(WakePolicyTest, ALoopIsPoliteFromItsFirstTurnOn) {
    EXPECT_EQ(policy_after_turn(SCHED_OTHER), SCHED_BATCH);
    EXPECT_TRUE(has_polite_threads());
}

TEST(WakePolicyTest, ALoopThatHadToWaitInterruptsOthersForSomeSeconds) {
    const auto found = policies(SCHED_OTHER, 11, waits_for_a_second);
    std::vector<int> wanted(11, SCHED_OTHER);
    wanted[0] = wanted[1] = wanted[10] = SCHED_BATCH;
    EXPECT_EQ(found, wanted);
}

thread_local int ways_given = 0;

int give_a_short_way() noexcept {
    return ++ways_given;
}

int give_a_long_way() noexcept {
    const auto back = steady_now() + 2 * WakePolicy::longest_way;
    while (steady_now() < back) {
    }
    return ++ways_given;
}

/// Of five times that a loop gives way, one right after the other, how often it does; `polite`: as
/// it is after its first turn.
int ways(bool polite, WakePolicy::Yield yield) {
    int given = 0;
    std::thread([&] {
        const sched_param none{};
        ASSERT_EQ(::sched_setscheduler(0, SCHED_OTHER, &none), 0);
        ways_given = 0;
        WakePolicy policy(own_processor_time, yield);
        if (polite) {
            policy.on_turn(TimePoint{1h});
        }
        for (int i = 0; i < 5; ++i) {
            policy.give_way();
        }
        given = ways_given;
    }).join();
    return given;
}

TEST(WakePolicyTest, APoliteLoopGivesWay) {
    EXPECT_EQ(ways(true, give_a_short_way), 5);
    EXPECT_EQ(ways(false, give_a_short_way), 0);
}

TEST(WakePolicyTest, ALoopThatDoesNotGetTheProcessorBackStopsToGiveWay) {
    EXPECT_EQ(ways(true, give_a_long_way), 1);
}

TEST(WakePolicyTest, ALoopWithoutFiguresIsAsItWas) {
    const auto none = []() noexcept { return std::optional<ProcessorTime>(); };
    EXPECT_EQ(policies(SCHED_OTHER, 2, none), std::vector<int>(2, SCHED_OTHER));
}

TEST(WakePolicyTest, LeavesAPolicyAloneThatSomebodyElseChose) {
    EXPECT_EQ(policy_after_turn(SCHED_IDLE), SCHED_IDLE);
}

}  // namespace
}  // namespace routerd::test
