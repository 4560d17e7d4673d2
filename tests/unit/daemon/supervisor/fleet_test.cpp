#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

TEST_F(FleetTest, LoadsAModelForTheRequestThatWantsIt) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted) << granted.error().message();
        if (!granted) {
            co_return;
        }
        EXPECT_THAT(granted->endpoint().text(), testing::HasSubstr("-a.sock"));
        EXPECT_GE(granted->loaded(), 1ms);
        EXPECT_EQ(rows.rows.size(), 1U);
        const auto view = fleet.view("a");
        EXPECT_EQ(view.state, InstanceState::ready);
        EXPECT_EQ(view.busy, 1U);
        EXPECT_GT(view.pid, 0);
        EXPECT_GT(view.rss_bytes, 0U);
    });
    EXPECT_THAT(event_types(), testing::ElementsAre("instance.starting", "instance.ready",
                                                    "instance.stopping", "instance.stopped"));
}

TEST_F(FleetTest, SharesOneLoadAndNeverOverfillsItsSlots) {
    add_model("a", "load-ms=20").settings.parallel = 4;
    live([](Fleet& fleet) -> asio::awaitable<void> {
        std::vector<Ticket> tickets;
        for (int i = 0; i < 32; ++i) {
            Demand demand;
            demand.model = "a";
            tickets.push_back(fleet.request(demand));
        }
        const auto progress = co_await tickets.back().progress();
        EXPECT_EQ(progress.phase, Ticket::Phase::loading);
        EXPECT_EQ(progress.position, 32U);
        for (auto& ticket : tickets) {  // first come, first served
            co_await ticket.wait_until(in(10s));
            EXPECT_LE(fleet.view("a").busy, 4U);
            const auto granted = ticket.take();
            EXPECT_TRUE(granted);
        }
        EXPECT_EQ(fleet.totals().granted, 32U);
    });
    EXPECT_EQ(count("instance.starting"), 1);
}

TEST_F(FleetTest, GoesOnLoadingWhenTheFirstClientLeaves) {
    const auto gate = dir / "gate";
    add_model("a", "gate=" + gate);
    live([this, &gate](Fleet& fleet) -> asio::awaitable<void> {
        Demand demand;
        demand.model = "a";
        {
            auto first = fleet.request(demand);
            first.cancel();
            EXPECT_EQ(first.take().error().code(), Errc::cancelled);
        }
        dir.write("gate", "");
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
    });
    EXPECT_EQ(count("instance.starting"), 1);
}

TEST_F(FleetTest, TellsTheHolderOfALeaseThatItsServerDied) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto granted = co_await lease(fleet, "a");
        ::kill(fleet.view("a").pid, SIGKILL);
        const auto end = co_await granted->end_within(5s);
        EXPECT_THAT(end, testing::HasSubstr("SIGKILL"));
        EXPECT_EQ(fleet.model_state("a"), InstanceState::crashed);

        // A server that crashed while it served is started again by the next request.
        const auto again = co_await lease(fleet, "a");
        EXPECT_TRUE(again);
        EXPECT_NE(again->instance(), granted->instance());
    });
    EXPECT_EQ(count("instance.crashed"), 1);
}

TEST_F(FleetTest, BacksOffWhenAServerCrashesAgain) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            auto granted = co_await lease(fleet, "a");
            EXPECT_TRUE(granted);
            ::kill(fleet.view("a").pid, SIGSEGV);
            const auto end = co_await granted->end_within(5s);
            EXPECT_NE(end, "");
        }
        EXPECT_EQ(fleet.model_state("a"), InstanceState::failed);
        EXPECT_TRUE(fleet.view("a").retry_at);
        const auto refused = co_await lease(fleet, "a");
        EXPECT_EQ(refused.error().code(), Errc::load_failed);
        EXPECT_THAT(refused.error().message(), testing::HasSubstr("SIGSEGV"));
        EXPECT_TRUE(refused.error().retry_after());

        const auto last_error = fleet.reset("a");
        EXPECT_THAT(*last_error, testing::HasSubstr("SIGSEGV"));
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted);
    });
}

TEST_F(FleetTest, FinishesRequestsBeforeItUnloads) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto granted = co_await lease(fleet, "a");
        Signal unloaded(loop.get_executor());
        asio::co_spawn(loop, fleet.unload("a"), [&unloaded](std::exception_ptr, Result<bool> was) {
            EXPECT_TRUE(was && *was);
            unloaded.notify();
        });
        const bool too_early = co_await unloaded.wait_until(in(50ms));
        EXPECT_FALSE(too_early);
        EXPECT_EQ(fleet.model_state("a"), InstanceState::draining);
        granted = Error(Errc::internal, "given back");
        const bool in_time = co_await unloaded.wait_until(in(5s));
        EXPECT_TRUE(in_time);
        EXPECT_EQ(fleet.model_state("a"), InstanceState::off);
        const auto again = co_await fleet.unload("a");
        EXPECT_TRUE(again && !*again);
        const auto unknown = co_await fleet.unload("nope");
        EXPECT_EQ(unknown.error().code(), Errc::not_found);
    });
}

TEST_F(FleetTest, MakesRoomByAnIdleModelThatIsNotPinned) {
    config.limits.max_loaded = 2;
    add_model("a").pinned = true;
    add_model("b");
    add_model("c");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        for (const auto* id : {"a", "b", "a", "c"}) {
            const auto granted = co_await lease(fleet, id);
            EXPECT_TRUE(granted) << id;
        }
        EXPECT_EQ(fleet.model_state("a"), InstanceState::ready);
        EXPECT_EQ(fleet.model_state("c"), InstanceState::ready);
        const auto plan = fleet.preview("b", false);
        EXPECT_EQ(plan.evictions.size(), 1U);
        EXPECT_EQ(plan.evictions.front().model, "c");
        EXPECT_THAT(plan.evictions.front().reason,
                    testing::HasSubstr("least costly to load again"));
        const auto stopped = co_await fleet.unload_all();
        EXPECT_EQ(stopped, 2U);
    });
    EXPECT_EQ(count("instance.stopped"), 3);
}

TEST_F(FleetTest, RefusesWhatWouldNotFitInBytes) {
    config.memory.budget["host"] = 1;
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto refused = co_await fleet.load("a");
        EXPECT_EQ(refused.error().code(), Errc::would_not_fit);
        EXPECT_NE(refused.error().fit(), nullptr);
        EXPECT_EQ(fleet.model_state("a"), InstanceState::off);
    });
    EXPECT_EQ(count("instance.starting"), 0);
}

TEST_F(FleetTest, StartsWithTheContextThatFits) {
    config.memory.budget["host"] = std::uint64_t{1} << 30U;
    auto& file = add_model("a").metadata;
    file.architecture = "llama";
    file.context_length = 131072;
    file.embedding_length = 1024;
    file.block_count = 8;
    file.head_count = {8};
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto shown = fleet.command_line("a");
        const auto option = std::ranges::find(shown->argv, "-c");
        const bool found = option != shown->argv.end();
        EXPECT_TRUE(found);
        if (found) {
            const auto context = std::stoul(*std::next(option));
            EXPECT_GE(context, 4096U);
            EXPECT_LT(context, 131072U);
        }
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
    });
}

TEST_F(FleetTest, UnloadsWhatNobodyUses) {
    config.limits.idle_unload = 30ms;
    add_model("a");
    add_model("pinned").pinned = true;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto stopped = std::make_shared<Signal>(loop.get_executor());
        fleet.on_change([&fleet, stopped] {
            if (fleet.model_state("a") == InstanceState::off) {
                stopped->notify();
            }
        });
        const auto pinned = co_await fleet.load("pinned");
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(pinned && loaded);
        EXPECT_TRUE(fleet.view("a").until);
        EXPECT_FALSE(fleet.view("pinned").until);
        const bool unloaded = co_await stopped->wait_until(in(5s));
        EXPECT_TRUE(unloaded);
        EXPECT_EQ(fleet.model_state("pinned"), InstanceState::ready);
    });
}

TEST_F(FleetTest, RestartsAServerWithANewProcess) {
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        co_await fleet.load("a");
        const auto before = fleet.view("a").pid;
        const auto restarted = co_await fleet.restart("a");
        EXPECT_TRUE(restarted);
        EXPECT_EQ(fleet.model_state("a"), InstanceState::ready);
        EXPECT_NE(fleet.view("a").pid, before);
    });
}

TEST_F(FleetTest, RefusesAtItsDeadlineAndAtAFullQueue) {
    config.queue.size = 1;
    add_model("a", "never-healthy");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        Demand demand;
        demand.model = "a";
        demand.deadline = in(20ms);
        auto first = fleet.request(demand);
        demand.deadline = TimePoint::max();
        auto second = fleet.request(demand);
        EXPECT_TRUE(second.settled());
        EXPECT_EQ(second.take().error().code(), Errc::queue_full);
        co_await first.wait_until(in(5s));
        EXPECT_EQ(first.take().error().code(), Errc::deadline_exceeded);
        demand.model = "nope";
        auto third = fleet.request(demand);
        EXPECT_EQ(third.take().error().code(), Errc::not_found);
    });
}

TEST_F(FleetTest, DrainsAServerWhoseCommandLineChanged) {
    add_model("a");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        co_await fleet.load("a");
        const auto before = fleet.view("a").id;
        auto changed = std::make_shared<Model>(*models.front());
        changed->pinned = true;
        models.front() = changed;
        fleet.set_catalog(snapshot());
        EXPECT_EQ(fleet.view("a").id, before);  // not part of the command line
        EXPECT_TRUE(fleet.view("a").pinned);

        changed = std::make_shared<Model>(*changed);
        changed->settings.context = 512;
        models.front() = changed;
        fleet.set_catalog(snapshot());
        EXPECT_EQ(fleet.model_state("a"), InstanceState::stopping);
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted);
        EXPECT_NE(fleet.view("a").id, before);
    });
}

TEST_F(FleetTest, ServesOnTcpWhereASettingAsksForIt) {
    config.llama_server.listen = ServerListen::tcp;
    add_model("a", "lose-port=" + (dir / "port-lost"));
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted) << granted.error().message();
        EXPECT_GT(granted->endpoint().port, 0);
        EXPECT_EQ(fleet.view("a").address, "127.0.0.1:" + std::to_string(granted->endpoint().port));
    });
    EXPECT_EQ(count("instance.load_failed"), 0);
}

TEST_F(FleetTest, KeepsALogOfEachModelEvenWhenSomebodyRemovesIt) {
    add_model("a");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto never = co_await fleet.read_log("a", LogQuery());
        EXPECT_EQ(never.error().code(), Errc::not_found);
        for (int i = 0; i < 2; ++i) {
            const auto loaded = co_await fleet.restart("a");
            EXPECT_TRUE(loaded);
            const auto page = co_await fleet.read_log("a", LogQuery());
            EXPECT_TRUE(page);
            EXPECT_THAT(page->lines.front().text, testing::HasSubstr("] start: "));
            EXPECT_THAT(page->lines.back().text, testing::HasSubstr("model loaded"));
            EXPECT_TRUE(page->lines.back().time);
            std::filesystem::remove(fleet.log_files("a").front());
        }
    });
}

TEST_F(FleetTest, ShowsExactlyWhatALoadRuns) {
    add_model("a").settings.args = {"-t", "1"};
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto command = fleet.command_line("a");
        EXPECT_TRUE(command);
        co_await fleet.load("a");
        const auto shown = nlohmann::json(command->argv).dump();
        EXPECT_EQ(rows.rows.begin()->second.argv, shown);
        EXPECT_EQ(command->argv.back(), "1");
    });
}

}  // namespace
}  // namespace routerd::test
