#include "daemon/gate/remote_gate.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/coroutine.hpp"
#include "tests/support/played_gate.hpp"

namespace routerd::test {
namespace {

using namespace std::chrono_literals;

/// Both loops in one thread, so that a test says what happens first.
class RemoteGateTest : public testing::Test {
  protected:
    RemoteGateTest() { desk_.answer_to(remote_.address()); }

    void turn_core() {
        core_.restart();
        core_.poll();
    }
    void turn_remote() {
        here_.restart();
        here_.poll();
    }

    static Demand for_model(const std::string& model) {
        Demand demand;
        demand.model = model;
        return demand;
    }

    /// What a coroutine of the remote's loop gives, when both have come to rest.
    template <class T>
    std::optional<T> settle(asio::awaitable<T> task) {
        std::optional<T> result;
        asio::co_spawn(here_, std::move(task), [&result](std::exception_ptr thrown, T value) {
            EXPECT_FALSE(thrown);
            result = std::move(value);
        });
        for (int i = 0; i < 4; ++i) {
            turn_remote();
            turn_core();
        }
        return result;
    }

    boost::asio::io_context core_{1};
    boost::asio::io_context here_{1};
    PlayedGate gate_{core_.get_executor()};
    GateDesk desk_{core_.get_executor(), gate_};
    RemoteGate remote_{here_.get_executor(), desk_};
};

TEST_F(RemoteGateTest, BringsAGrantAndTakesBackTheReport) {
    auto ticket = remote_.request(for_model("ready"));
    EXPECT_FALSE(ticket.settled());
    turn_core();
    turn_remote();
    ASSERT_TRUE(ticket.settled());
    {
        auto lease = ticket.take();
        ASSERT_TRUE(lease);
        EXPECT_EQ(lease->endpoint().unix_path, "/run/7.sock");
        EXPECT_EQ(lease->queued(), 3ms);
        EXPECT_EQ(lease->loaded(), 2ms);
        lease->report = {Answered::stalled, 12.5};
        turn_core();
        EXPECT_TRUE(gate_.released.empty());
    }
    turn_core();
    ASSERT_EQ(gate_.released.size(), 1U);
    EXPECT_EQ(gate_.released[0].answered, Answered::stalled);
    EXPECT_EQ(gate_.released[0].tokens_per_second, 12.5);
}

TEST_F(RemoteGateTest, BringsARefusal) {
    auto ticket = remote_.request(for_model("full"));
    turn_core();
    turn_remote();
    ASSERT_TRUE(ticket.settled());
    EXPECT_EQ(ticket.take().error().code(), Errc::queue_full);
    EXPECT_TRUE(gate_.released.empty());
}

TEST_F(RemoteGateTest, WakesWhoWaits) {
    auto ticket = remote_.request(for_model("cold"));
    bool is_granted = false;
    const auto wait = [](Ticket& of, bool& granted) -> asio::awaitable<void> {
        granted = co_await of.wait_until(TimePoint::max());
    };
    asio::co_spawn(here_, wait(ticket, is_granted), asio::detached);
    turn_remote();
    turn_core();
    turn_remote();
    EXPECT_FALSE(is_granted);
    gate_.settle();
    turn_remote();
    EXPECT_TRUE(is_granted);
    EXPECT_TRUE(ticket.take());
}

TEST_F(RemoteGateTest, LeavesTheQueue) {
    {
        const auto gone = remote_.request(for_model("cold"));
        auto cancelled = remote_.request(for_model("cold"));
        turn_core();
        EXPECT_EQ(gate_.waiting.size(), 2U);
        cancelled.cancel();
        EXPECT_EQ(cancelled.take().error().code(), Errc::cancelled);
    }
    turn_core();
    EXPECT_EQ(gate_.left, 2);
    EXPECT_TRUE(gate_.waiting.empty());
}

TEST_F(RemoteGateTest, GivesBackAGrantThatCrossedALeave) {
    auto ticket = remote_.request(for_model("cold"));
    turn_core();
    gate_.settle();  // on its way
    ticket.cancel();
    turn_remote();
    EXPECT_EQ(ticket.take().error().code(), Errc::cancelled);
    turn_core();
    EXPECT_EQ(gate_.released.size(), 1U);
    EXPECT_FALSE(gate_.released[0].answered);
}

TEST_F(RemoteGateTest, GivesBackAGrantThatNobodyTook) {
    {
        const auto ticket = remote_.request(for_model("ready"));
        turn_core();
        turn_remote();
    }
    turn_core();
    EXPECT_EQ(gate_.released.size(), 1U);
}

TEST_F(RemoteGateTest, AsksTheCoreForWhatOnlyItKnows) {
    const auto other = remote_.request(for_model("ready"));
    const auto ticket = remote_.request(for_model("cold"));
    const auto progress = settle(ticket.progress());
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->phase, Ticket::Phase::loading);
    EXPECT_EQ(progress->position, 2U) << "the core's number of it";
    EXPECT_EQ(progress->loaded_percent, 42U);
    EXPECT_EQ(settle(remote_.least_busy({"a", "b", "c"})), 2U);
    EXPECT_EQ(settle(remote_.end_of(7, 100ms)), "7 after 100");
    EXPECT_EQ(settle(remote_.admit("ci"))->allowance->remaining, 8U);
    EXPECT_EQ(settle(remote_.admit("greedy"))->refusal->code(), Errc::rate_limited);
}

TEST_F(RemoteGateTest, KnowsNoProgressOfWhatWasSettledMeanwhile) {
    const auto ticket = remote_.request(for_model("ready"));
    turn_core();
    const auto progress = settle(ticket.progress());
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->position, 0U);
}

TEST_F(RemoteGateTest, PassesOnThatAServerCloses) {
    std::vector<std::uint64_t> closing;
    remote_.on_closing_instance([&](std::uint64_t instance) { closing.push_back(instance); });
    gate_.on_closing(5);
    EXPECT_TRUE(closing.empty()) << "that is another thread's";
    turn_remote();
    EXPECT_THAT(closing, testing::ElementsAre(5U));
}

/// For the thread sanitizer: both sides at work at once.
TEST(RemoteGateThreadsTest, ServeManyRequests) {
    constexpr int rounds = 2'000;
    boost::asio::io_context core(1);
    boost::asio::io_context here(1);
    auto busy = boost::asio::make_work_guard(core);
    PlayedGate gate(core.get_executor());
    GateDesk desk(core.get_executor(), gate);
    RemoteGate remote(here.get_executor(), desk);
    desk.answer_to(remote.address());
    std::thread thread([&core] { core.run(); });
    int served = 0;
    const auto serve = [](RemoteGate& of, int& count) -> asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            Demand demand;
            demand.model = i % 3 == 0 ? "full" : "ready";
            auto ticket = of.request(demand);
            co_await ticket.wait_until(TimePoint::max());
            const auto lease = ticket.take();
            if (lease) {
                const auto end = co_await lease->end_within(0ms);
                count += end.empty() ? 0 : 1;
            }
        }
    };
    run(here, serve(remote, served), 60s);
    busy.reset();
    thread.join();
    EXPECT_EQ(served, rounds - (rounds + 2) / 3);
    EXPECT_EQ(gate.released.size(), static_cast<std::size_t>(served));
}

}  // namespace
}  // namespace routerd::test
