#include "daemon/net/deadlines.hpp"

#include <chrono>
#include <optional>

#include <boost/asio/io_context.hpp>
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

  private:
    void on_deadline() override { ++expired; }
};

TEST(DeadlinesTest, TellsOnceWhenTheDeadlineHasPassed) {
    asio::io_context loop(1);
    Deadlines deadlines(loop.get_executor());
    Probe due(deadlines);
    Probe later(deadlines);
    due.set_deadline(steady_clock::now() + 10ms);
    later.set_deadline(steady_clock::now() + 1h);
    loop.run_for(600ms);
    EXPECT_EQ(due.expired, 1);
    EXPECT_EQ(later.expired, 0);
}

TEST(DeadlinesTest, AnIdleLoopHasNothingToDo) {
    asio::io_context loop(1);
    Deadlines deadlines(loop.get_executor());
    {
        Probe gone(deadlines);
        gone.set_deadline(steady_clock::now() + 1h);
    }
    const auto begun = steady_clock::now();
    loop.run();  // returns at once: nothing waits
    EXPECT_LT(steady_clock::now() - begun, 200ms);
}

TEST(DeadlinesTest, OneThatComesAsTheLastOneGoesIsNotForgotten) {
    asio::io_context loop(1);
    Deadlines deadlines(loop.get_executor());
    std::optional<Probe> first(deadlines);
    first->set_deadline(steady_clock::now() + 1h);
    first.reset();
    Probe second(deadlines);
    second.set_deadline(steady_clock::now() + 10ms);
    loop.run_for(600ms);
    EXPECT_EQ(second.expired, 1);
}

}  // namespace
}  // namespace routerd
