#include <filesystem>

#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

/// What a model with these faults tells the request that wanted it, and how long that took.
class FleetFaultTest : public FleetTest {
  protected:
    Error refusal(const std::string& faults) {
        add_model("a", faults);
        return refusal();
    }

    /// When the last server said that it ends; clocks are the same in all processes.
    static TimePoint exit_time(const Fleet& fleet) {
        const auto log = read_file(fleet.log_files("a").front());
        const std::string words = "FAKE exits at ";
        const auto at = log.rfind(words);
        return TimePoint(std::chrono::nanoseconds(std::stoll(log.substr(at + words.size()))));
    }

    Error refusal() {
        std::optional<Error> error;
        live([&error](Fleet& fleet) -> asio::awaitable<void> {
            const auto granted = co_await lease(fleet, "a");
            EXPECT_FALSE(granted);
            error = granted ? Error() : granted.error();
        });
        return *error;
    }
};

TEST_F(FleetFaultTest, SaysWhyAServerEndedWhileItLoaded) {
    const auto error = refusal("crash-load");
    EXPECT_EQ(error.code(), Errc::load_failed);
    EXPECT_THAT(error.message(), HasSubstr("exit status 1: "));
    EXPECT_THAT(error.message(), HasSubstr("failed to load model, '" + (dir / "models/a.gguf")));
    EXPECT_TRUE(error.retry_after());
    EXPECT_EQ(error.hint(), "routerctl logs a");
}

TEST_F(FleetFaultTest, AnswersAllWaitersWithin100MsOfAnExitWhileLoading) {
    add_model("a", "load-ms=20,exit0-load");
    auto best = TimePoint::duration::max();
    live([this, &best](Fleet& fleet) -> asio::awaitable<void> {
        for (int round = 0; round < 5; ++round) {  // the machine may be busy with other things
            fleet.reset("a");
            Demand demand;
            demand.model = "a";
            std::vector<Ticket> tickets;
            for (int i = 0; i < 10; ++i) {
                tickets.push_back(fleet.request(demand));
            }
            for (auto& ticket : tickets) {
                co_await ticket.wait_until(in(5s));
                const auto error = ticket.take().error();
                EXPECT_THAT(error.message(), HasSubstr("exit status 0"));
            }
            best = std::min(best, std::chrono::steady_clock::now() - exit_time(fleet));
        }
    });
    EXPECT_LT(best, 100ms);
}

TEST_F(FleetFaultTest, NamesTheSignalThatKilledIt) {
    EXPECT_THAT(refusal("segv-load").message(), HasSubstr("killed by SIGSEGV"));
}

TEST_F(FleetFaultTest, TellsABadArgument) {
    auto& model = add_model("a", "die-on=--no-such-flag");
    model.settings.args = {"--no-such-flag"};
    EXPECT_THAT(refusal().message(), HasSubstr("invalid argument: --no-such-flag"));
}

TEST_F(FleetFaultTest, DoesNotStartAFailedModelAgainAtOnce) {
    add_model("a", "crash-load");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        const auto first = co_await lease(fleet, "a");
        EXPECT_FALSE(first);
        const auto second = co_await lease(fleet, "a");
        EXPECT_THAT(second.error().message(), HasSubstr("is not started again for"));
        EXPECT_EQ(second.error().hint(), "mend the cause, then: routerctl reset a");
        EXPECT_EQ(count("instance.starting"), 1);
        EXPECT_EQ(fleet.view("a").state, InstanceState::failed);
        EXPECT_EQ(fleet.instances().size(), 1U);
    });
}

TEST_F(FleetFaultTest, KillsAStartThatNeverGetsHealthy) {
    config.limits.start_timeout = 100ms;
    for (const auto* fault : {"never-healthy", "hang-health", "no-listen"}) {
        models.clear();
        const auto error = refusal(fault);
        EXPECT_THAT(error.message(), HasSubstr("not ready after 100 ms")) << fault;
    }
}

TEST_F(FleetFaultTest, KillsAServerThatIgnoresSigterm) {
    config.limits.stop_timeout = 100ms;
    add_model("a", "ignore-term");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        co_await fleet.load("a");
        const auto begin = std::chrono::steady_clock::now();
        co_await fleet.unload("a");
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
    });
}

TEST_F(FleetFaultTest, LeavesNoGrandchildBehind) {
    add_model("a", "grandchild");
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto loaded = co_await fleet.load("a");
        EXPECT_TRUE(loaded);
    });
    // TearDown() looks for what is left.
}

TEST_F(FleetFaultTest, NamesAModelFileThatIsGone) {
    add_model("a");
    std::filesystem::remove(dir / "models/a.gguf");
    const auto error = refusal();
    EXPECT_EQ(error.code(), Errc::load_failed);
    EXPECT_THAT(error.message(), HasSubstr(dir / "models/a.gguf"));
    EXPECT_THAT(error.message(), HasSubstr("routerctl rescan"));
}

TEST_F(FleetFaultTest, SaysThatThereIsNoServerProgram) {
    config.llama_server.path = dir / "no-such-program";
    add_model("a");
    const auto error = refusal();
    EXPECT_THAT(error.message(), HasSubstr("no-such-program' is not there"));
    EXPECT_THAT(error.message(), HasSubstr("LLAMA_SERVER_PATH"));
}

TEST_F(FleetFaultTest, SaysThatAProgramIsNoProgram) {
    config.llama_server.path = dir.write("program", "not a program");
    add_model("a");
    EXPECT_THAT(refusal().message(), HasSubstr("is not executable"));
    std::filesystem::permissions(dir / "program", std::filesystem::perms::owner_all);
    EXPECT_THAT(refusal().message(), HasSubstr("not a program for this machine"));
}

TEST_F(FleetFaultTest, SaysThatTheSocketFolderIsTooLong) {
    config.state.runtime_dir = dir / std::string(110, 'x');
    add_model("a");
    EXPECT_THAT(refusal().message(), HasSubstr("is too long for sockets"));
}

TEST_F(FleetFaultTest, RefusesWhatWaitsWhenItShutsDown) {
    add_model("a", "never-healthy");
    std::optional<Ticket> ticket;
    live([this, &ticket](Fleet& fleet) -> asio::awaitable<void> {
        Demand demand;
        demand.model = "a";
        ticket.emplace(fleet.request(demand));
        asio::co_spawn(loop, fleet.shutdown(), [](std::exception_ptr) {});
        co_await ticket->wait_until(in(5s));
        EXPECT_EQ(ticket->take().error().code(), Errc::shutting_down);
        ticket.reset();
    });
}

TEST_F(FleetFaultTest, DoesNotWaitForRequestsWhenItIsInAHurry) {
    config.limits.drain_timeout = 60s;
    config.limits.stop_timeout = 60s;
    add_model("a", "ignore-term");
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        auto granted = co_await lease(fleet, "a");
        asio::co_spawn(loop, fleet.shutdown(), [](std::exception_ptr) {});
        const auto early = co_await granted->end_within(50ms);
        EXPECT_EQ(early, "");
        fleet.hurry();
        const auto end = co_await granted->end_within(5s);
        EXPECT_NE(end, "");
    });
}

}  // namespace
}  // namespace routerd::test
