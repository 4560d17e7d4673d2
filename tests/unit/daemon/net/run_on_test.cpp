#include "daemon/net/run_on.hpp"

#include <future>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "daemon/net/task_group.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd::test {
namespace {

namespace asio = boost::asio;

class RunOnTest : public testing::Test {
  protected:
    /// Notes the thread that its destructor runs on.
    struct Witness {
        std::thread::id& thread;
        ~Witness() { thread = std::this_thread::get_id(); }
    };

    asio::awaitable<void> wait_for(std::shared_future<void> gate, std::thread::id& ended_on) {
        const Witness witness{ended_on};
        auto work = [gate = std::move(gate)] {
            gate.wait();
            return 42;
        };
        answer_ = co_await run_on(pool_, std::move(work));
        asio::steady_timer timer(loop_);
        co_await timer.async_wait(no_throw);
        went_on_ = true;
    }

    int answer_ = 0;
    bool went_on_ = false;
    asio::io_context loop_{1};
    asio::thread_pool pool_{1};
};

TEST_F(RunOnTest, ComesBackToTheCallersThreadWithTheResult) {
    std::promise<void> gate;
    gate.set_value();
    std::thread::id ended_on;
    run(loop_, wait_for(gate.get_future().share(), ended_on));
    EXPECT_EQ(answer_, 42);
    EXPECT_EQ(ended_on, std::this_thread::get_id());
}

TEST_F(RunOnTest, UnwindsOnTheCallersThreadWhenItIsCancelledMeanwhile) {
    std::promise<void> gate;
    std::thread::id ended_on;
    TaskGroup group(loop_.get_executor(), "test");
    group.spawn(wait_for(gate.get_future().share(), ended_on));
    loop_.poll();
    group.cancel();
    gate.set_value();
    loop_.restart();
    run(loop_, group.wait());
    EXPECT_EQ(answer_, 42);  // the work ran to its end
    EXPECT_FALSE(went_on_);
    EXPECT_EQ(ended_on, std::this_thread::get_id());
}

}  // namespace
}  // namespace routerd::test
