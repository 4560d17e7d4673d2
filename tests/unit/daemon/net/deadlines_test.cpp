#include "daemon/net/deadlines.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class Probe : public Expiring {
  public:
    explicit Probe(Deadlines& list) : Expiring(list) {}
    using Expiring::clear_deadline;
    using Expiring::set_deadline;
    int expired = 0;
    std::function<void()> then = [] {};

  private:
    void on_deadline() override {
        ++expired;
        then();
    }
};

class DeadlinesTest : public testing::Test {
  protected:
    asio::io_context loop{1};
    Poller poller{loop.get_executor()};
    Deadlines deadlines{poller};
};

TEST_F(DeadlinesTest, TellsOnceWhenTheDeadlineHasPassed) {
    Probe due(deadlines);
    Probe later(deadlines);
    due.set_deadline(steady_clock::now() + 10ms);
    later.set_deadline(steady_clock::now() + 1h);
    loop.run_for(600ms);
    EXPECT_EQ(due.expired, 1);
    EXPECT_EQ(later.expired, 0);
}

TEST_F(DeadlinesTest, TheLoopSleepsUntilTheNextOneComes) {
    Probe later(deadlines);
    later.set_deadline(steady_clock::now() + 10s);
    EXPECT_EQ(loop.run_for(1s), 0U) << "woke up for nothing";
    EXPECT_EQ(later.expired, 0);
}

TEST_F(DeadlinesTest, AnIdleLoopHasNothingToDo) {
    {
        Probe gone(deadlines);
        gone.set_deadline(steady_clock::now() + 1h);
    }
    const auto begun = steady_clock::now();
    loop.run();  // returns at once: nothing waits
    EXPECT_LT(steady_clock::now() - begun, 200ms);
}

TEST_F(DeadlinesTest, OneThatComesAsTheLastOneGoesIsNotForgotten) {
    std::optional<Probe> first(deadlines);
    first->set_deadline(steady_clock::now() + 1h);
    first.reset();
    Probe second(deadlines);
    second.set_deadline(steady_clock::now() + 10ms);
    loop.run_for(600ms);
    EXPECT_EQ(second.expired, 1);
}

TEST_F(DeadlinesTest, ThousandsAtOnceLeaveOthersTheirTurn) {
    std::deque<Probe> probes;
    int expired = 0;
    int when_the_other_ran = 0;
    for (int i = 0; i < 1000; ++i) {
        auto& probe = probes.emplace_back(deadlines);
        probe.set_deadline(steady_clock::now());
        probe.then = [&] {
            if (++expired == 1) {
                asio::post(loop, [&] { when_the_other_ran = expired; });
            } else if (expired == 1000) {
                loop.stop();
            }
        };
    }
    loop.run();
    EXPECT_EQ(expired, 1000);
    EXPECT_EQ(when_the_other_ran, 1);
}

TEST_F(DeadlinesTest, ManyThatAreNotDueDoNotHideTheOneThatIs) {
    Probe due(deadlines);  // the last to be looked at
    std::deque<Probe> others;
    for (int i = 0; i < 5000; ++i) {
        auto& other = others.emplace_back(deadlines);
        other.set_deadline(steady_clock::now());
        other.set_deadline(steady_clock::now() + 1h);
    }
    due.set_deadline(steady_clock::now());
    loop.run_for(600ms);
    EXPECT_EQ(due.expired, 1);
}

TEST_F(DeadlinesTest, OneThatMovesToALaterTimeIsToldThen) {
    Probe moved(deadlines);
    Probe cleared(deadlines);
    const auto begun = steady_clock::now();
    steady_clock::time_point told;
    moved.then = [&] { told = steady_clock::now(); };
    moved.set_deadline(begun + 10ms);
    cleared.set_deadline(begun + 10ms);
    moved.set_deadline(begun + 800ms);
    cleared.clear_deadline();
    loop.run_for(1500ms);
    EXPECT_EQ(moved.expired, 1);
    EXPECT_GE(told, begun + 800ms);
    EXPECT_EQ(cleared.expired, 0);
}

TEST_F(DeadlinesTest, OneThatMovesToAnEarlierTimeIsToldThen) {
    Probe probe(deadlines);
    probe.set_deadline(steady_clock::now() + 1h);
    probe.set_deadline(steady_clock::now() + 30s);
    probe.set_deadline(steady_clock::now() + 10ms);
    loop.run_for(600ms);
    EXPECT_EQ(probe.expired, 1);
}

TEST_F(DeadlinesTest, OneThatWasToldMayBeSetAgain) {
    Probe probe(deadlines);
    probe.then = [&] {
        if (probe.expired < 3) {
            probe.set_deadline(steady_clock::now());
        }
    };
    probe.set_deadline(steady_clock::now());
    loop.run();  // until none is left
    EXPECT_EQ(probe.expired, 3);
}

TEST_F(DeadlinesTest, OneThatIsMovedWhileItsTurnIsDueIsNotTold) {
    Probe first(deadlines);
    Probe second(deadlines);
    first.set_deadline(steady_clock::now());
    second.set_deadline(steady_clock::now());
    first.then = [&] { second.set_deadline(steady_clock::now() + 1h); };
    loop.run_for(600ms);
    EXPECT_EQ(first.expired, 1);
    EXPECT_EQ(second.expired, 0);
}

TEST_F(DeadlinesTest, OneThatGoesInTheMiddleOfASweepIsNotLookedAt) {
    std::list<Probe> probes;
    int expired = 0;
    for (int i = 0; i < 1000; ++i) {
        probes.emplace_back(deadlines).set_deadline(steady_clock::now());
        probes.back().then = [&] { ++expired; };
    }
    probes.front().then = [&] {
        ++expired;
        asio::post(loop, [&] { probes.clear(); });
    };
    loop.run_for(600ms);
    EXPECT_GT(expired, 0);
    EXPECT_LT(expired, 100);
}

TEST_F(DeadlinesTest, OneThatIsSetInTheMiddleOfASweepIsNotForgotten) {
    Probe due(deadlines);
    std::optional<Probe> late;
    due.then = [&] { late.emplace(deadlines).set_deadline(steady_clock::now() + 10ms); };
    due.set_deadline(steady_clock::now());
    loop.run_for(900ms);
    EXPECT_EQ(due.expired, 1);
    EXPECT_EQ(late->expired, 1);
}

}  // namespace
}  // namespace routerd
