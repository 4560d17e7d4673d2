#include "daemon/net/signal.hpp"

#include <chrono>

#include <boost/asio/post.hpp>

#include "daemon/net/wakeup.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> notified_before_and_during(asio::io_context& loop) {
    Signal signal(loop.get_executor());
    signal.notify();
    const bool kept = co_await signal.wait_until(TimePoint::max());
    EXPECT_TRUE(kept);
    asio::post(loop, [&signal] { signal.notify(); });
    const bool woken = co_await signal.wait_until(TimePoint::max());
    EXPECT_TRUE(woken);
    const bool late = co_await signal.wait_until(std::chrono::steady_clock::now() + 1ms);
    EXPECT_FALSE(late);
}

TEST(SignalTest, WakesItsWaiterOnceForEachNotify) {
    asio::io_context loop(1);
    test::run(loop, notified_before_and_during(loop));
}

asio::awaitable<void> sleeps(asio::io_context& loop) {
    Wakeup wakeup;
    asio::post(loop, [&wakeup] { wakeup.resume(); });
    EXPECT_FALSE(wakeup.has_sleeper());
    co_await wakeup.wait();
    EXPECT_FALSE(wakeup.has_sleeper());
    wakeup.resume();  // nobody sleeps: nothing happens
}

TEST(WakeupTest, ResumesInsideTheCall) {
    asio::io_context loop(1);
    test::run(loop, sleeps(loop));
}

}  // namespace
}  // namespace routerd
