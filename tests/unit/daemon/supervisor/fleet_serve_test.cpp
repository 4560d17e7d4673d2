#include <csignal>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <sys/wait.h>

#include "tests/support/descriptor_limit.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

/// Servers that are ready: whether they still answer, and several of one model.
class FleetServeTest : public FleetTest {
  protected:
    FleetServeTest() { config.limits.probe_interval = 50ms; }

    /// One request beside those that hold a slot, answered in this way.
    static void answer(Fleet& fleet, Answered how) {
        Demand demand;
        demand.model = "a";
        demand.needs_slot = false;
        auto granted = fleet.request(demand).take();
        ASSERT_TRUE(granted);
        granted->report.answered = how;
    }

    /// Waits until the model's server was probed `times` more.
    static asio::awaitable<void> probed(const Fleet& fleet, int times) {
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer pause(executor);
        for (auto before = last_check(fleet); times > 0;) {
            pause.expires_after(5ms);
            co_await pause.async_wait(asio::use_awaitable);
            const auto now = last_check(fleet);
            times -= now != before ? 1 : 0;
            before = now;
        }
    }

    static std::optional<WallTime> last_check(const Fleet& fleet) {
        const auto reports = fleet.health();
        return reports.empty() ? std::nullopt : reports.front().last_check;
    }
};

TEST_F(FleetServeTest, ReplacesAServerThatDoesNotAnswerAnyMore) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto held = co_await lease(fleet, "a");
        EXPECT_TRUE(held);
        const auto before = fleet.view("a").pid;
        ::kill(before, SIGSTOP);
        const auto end = co_await held->end_within(10s);
        EXPECT_THAT(end, HasSubstr("does not answer any more, asked 3 times"));
        EXPECT_GE(fleet.health().front().consecutive_failures, 3U);
        const auto next = co_await lease(fleet, "a");
        EXPECT_TRUE(next) << (next ? "" : next.error().message());
        EXPECT_NE(fleet.view("a").pid, before);
        EXPECT_EQ(count("instance.crashed"), 1);
    });
}

TEST_F(FleetServeTest, LeavesAServerAloneThatSendsThoughItDoesNotAnswer) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto held = co_await lease(fleet, "a");
        EXPECT_TRUE(held);
        const auto before = fleet.view("a").pid;
        ::kill(before, SIGSTOP);
        asio::steady_timer pause(loop);
        do {
            held->granted().server->heard.note(steady_now());  // as a transfer that goes on does
            pause.expires_after(2ms);
            co_await pause.async_wait(asio::use_awaitable);
        } while (fleet.health().front().consecutive_failures < 5 && fleet.view("a").pid == before);
        EXPECT_EQ(fleet.view("a").state, InstanceState::ready);
        EXPECT_EQ(fleet.view("a").pid, before);
        const auto end = co_await held->end_within(10s);
        EXPECT_THAT(end, HasSubstr("does not answer any more, asked 3 times"));
    });
}

TEST_F(FleetServeTest, ServesThoughItCannotBeRememberedAndRemembersItLater) {
    add_model("a");
    rows.is_full = true;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted) << (granted ? "" : granted.error().message());
        EXPECT_TRUE(rows.rows.empty());
        rows.is_full = false;
        co_await probed(fleet, 2);
        EXPECT_EQ(rows.rows.size(), 1U);
        EXPECT_EQ(rows.rows.begin()->second.pid, fleet.view("a").pid);
    });
}

TEST_F(FleetServeTest, LeavesAHealthyServerAlone) {
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
        const auto before = fleet.view("a").pid;
        co_await probed(fleet, 5);
        EXPECT_EQ(fleet.view("a").pid, before);
        const auto health = fleet.health().front();
        EXPECT_EQ(health.model, "a");
        EXPECT_EQ(health.consecutive_failures, 0U);
        EXPECT_TRUE(health.response_time);
        EXPECT_EQ(health.uptime_percent, 100);
    });
}

TEST_F(FleetServeTest, LeavesServersAloneThatItCannotAskForWantOfADescriptor) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
        const auto before = fleet.view("a").pid;
        asio::steady_timer pause(loop, 20 * config.limits.probe_interval);  // many more than 3
        {
            const DescriptorLimit none(3);
            co_await pause.async_wait(asio::use_awaitable);
        }
        co_await probed(fleet, 2);
        EXPECT_EQ(fleet.view("a").pid, before);
    });
}

TEST_F(FleetServeTest, StartsAPinnedModelAgainThoughNobodyAsks) {
    add_model("a").pinned = true;
    add_model("b");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        for (const auto* model : {"a", "b"}) {
            const auto loaded = co_await fleet.load(model);
            EXPECT_TRUE(loaded);
        }
        const auto before = fleet.view("a").pid;
        ::kill(fleet.view("b").pid, SIGKILL);
        ::kill(before, SIGKILL);
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer pause(executor);
        const auto is_back = [&] {
            const auto view = fleet.view("a");
            return view.state == InstanceState::ready && view.pid != 0 && view.pid != before;
        };
        while (count("instance.crashed") < 2 || !is_back()) {
            pause.expires_after(5ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        EXPECT_EQ(count("instance.crashed"), 2);
        EXPECT_EQ(fleet.view("b").state, InstanceState::crashed) << "that waits for a request";
    });
}

TEST_F(FleetServeTest, EndsAServerThatStallsThreeTimesInARow) {
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        auto held = co_await lease(fleet, "a");
        for (const auto how : {Answered::stalled, Answered::stalled, Answered::whole,
                               Answered::stalled, Answered::stalled}) {
            answer(fleet, how);
        }
        co_await probed(fleet, 2);
        const auto lives = co_await held->end_within(0ms);
        EXPECT_EQ(lives, "");
        answer(fleet, Answered::stalled);
        const auto end = co_await held->end_within(10s);
        EXPECT_THAT(end, HasSubstr("stopped in the middle of 3 answers in a row"));
    });
}

TEST_F(FleetServeTest, LooksAtOnceAtAServerThatIsLate) {
    config.limits.probe_interval = 0ms;
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto held = co_await lease(fleet, "a");
        EXPECT_FALSE(last_check(fleet));
        answer(fleet, Answered::late);
        co_await probed(fleet, 1);
        EXPECT_EQ(fleet.health().front().consecutive_failures, 0U);
    });
}

TEST_F(FleetServeTest, CountsTheTimeAfterAFailureAsDown) {
    add_model("a", "crash-load");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto refused = co_await lease(fleet, "a");
        EXPECT_FALSE(refused);
        const auto health = fleet.health().front();
        EXPECT_EQ(health.consecutive_failures, 1U);
        EXPECT_EQ(health.state, InstanceState::failed);
        EXPECT_LT(health.uptime_percent, 100);
    });
}

TEST_F(FleetServeTest, RunsSeveralServersOfAModelEachWithItsLog) {
    add_model("a").settings.instances = 2;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto first = co_await lease(fleet, "a");
        auto second = co_await lease(fleet, "a");
        EXPECT_TRUE(first && second);
        EXPECT_NE(first->instance(), second->instance());
        EXPECT_EQ(fleet.instances().size(), 2U);
        EXPECT_THAT(read_file(dir / "state/logs/a.log"), HasSubstr(first->endpoint().unix_path));
        EXPECT_THAT(read_file(dir / "state/logs/a.2.log"), HasSubstr(second->endpoint().unix_path));
        {
            const auto give_back_first = std::move(*first);
            const auto give_back_second = std::move(*second);
        }
        const auto unloaded = co_await fleet.unload("a");
        EXPECT_TRUE(unloaded && *unloaded);
        EXPECT_TRUE(fleet.instances().empty());
    });
}

TEST_F(FleetServeTest, SendsAConversationBackToItsServer) {
    add_model("a").settings.instances = 2;
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto say = [&fleet](std::uint64_t conversation) -> asio::awaitable<Lease> {
            Demand demand;
            demand.model = "a";
            demand.conversation = conversation;
            auto ticket = fleet.request(demand);
            co_await ticket.wait_until(in(10s));
            co_return *ticket.take();
        };
        std::optional<Lease> x = co_await say(1);
        std::optional<Lease> y = co_await say(2);
        const auto home_of_x = x->instance();
        const auto home_of_y = y->instance();
        EXPECT_NE(home_of_x, home_of_y);
        for (int i = 0; i < 3; ++i) {
            x.reset();
            y.reset();
            auto next_y = co_await say(2);
            auto next_x = co_await say(1);
            y.emplace(std::move(next_y));
            x.emplace(std::move(next_x));
            EXPECT_EQ(x->instance(), home_of_x);
            EXPECT_EQ(y->instance(), home_of_y);
        }
    });
}

/// Nothing is polled: all that lies between one request's end and the next one's beginning is in
/// the loop's queue already, so it takes microseconds and no timer.
TEST_F(FleetServeTest, WakesTheNextRequestWithoutWaitingForATimer) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        std::optional<Lease> held;
        auto granted = co_await lease(fleet, "a");
        held.emplace(std::move(*granted));
        bool is_awake = false;
        const auto wait = [](Fleet& of, bool& awake) -> asio::awaitable<void> {
            const auto next = co_await lease(of, "a");
            awake = bool(next);
        };
        asio::co_spawn(loop, wait(fleet, is_awake), asio::detached);
        co_await asio::post(loop.get_executor(), asio::use_awaitable);
        EXPECT_FALSE(is_awake);
        held.reset();
        for (int turn = 0; turn < 4; ++turn) {
            co_await asio::post(loop.get_executor(), asio::use_awaitable);
        }
        EXPECT_TRUE(is_awake);
    });
}

TEST_F(FleetServeTest, AdoptsAllServersOfAModel) {
    add_model("a").settings.instances = 2;
    std::vector<pid_t> before;
    const auto pids = [](const Fleet& fleet) {
        std::vector<pid_t> all;
        for (const auto& instance : fleet.instances()) {
            all.push_back(instance.pid);
        }
        std::ranges::sort(all);
        return all;
    };
    live(
        [&](Fleet& fleet) -> asio::awaitable<void> {
            const auto first = co_await lease(fleet, "a");
            const auto second = co_await lease(fleet, "a");
            EXPECT_TRUE(first && second);
            before = pids(fleet);
        },
        Fleet::OnShutdown::leave_running);
    EXPECT_EQ(before.size(), 2U);
    live([&](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_EQ(pids(fleet), before);
        co_return;
    });
}

TEST_F(FleetServeTest, LetsOneGoThatEndsWhileAnotherIsStillBeingEnded) {
    add_model("left");
    add_model("ended", "ignore-term");
    pid_t left = 0;
    asio::steady_timer soon(loop);
    live(
        [&](Fleet& fleet) -> asio::awaitable<void> {
            for (const std::string model : {"left", "ended"}) {
                const auto loaded = co_await fleet.load(model);
                EXPECT_TRUE(loaded);
            }
            left = fleet.view("left").pid;
            asio::co_spawn(loop, fleet.unload("ended"), asio::detached);
            soon.expires_after(config.limits.stop_timeout / 4);  // it is let go by then
            soon.async_wait([left](auto) { ::kill(left, SIGKILL); });
        },
        Fleet::OnShutdown::leave_running);
    EXPECT_EQ(::waitpid(left, nullptr, 0), left);
    live([](Fleet&) -> asio::awaitable<void> { co_return; });
}

}  // namespace
}  // namespace routerd::test
