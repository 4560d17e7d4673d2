#include <csignal>

#include "daemon/process/child.hpp"
#include "daemon/process/environment.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {
namespace {

class AdoptionTest : public FleetTest {
  protected:
    /// A daemon that loads `id` and dies without stopping it; the server's number and process.
    InstanceView load_and_leave(const std::string& id) {
        InstanceView view;
        live(
            [&view, id](Fleet& fleet) -> asio::awaitable<void> {
                const auto loaded = co_await fleet.load(id);
                EXPECT_TRUE(loaded);
                view = fleet.view(id);
            },
            Fleet::OnShutdown::leave_running);
        events.clear();
        return view;
    }
};

TEST_F(AdoptionTest, ServesFromTheServersOfTheDaemonBefore) {
    add_model("a");
    const auto before = load_and_leave("a");
    live([&before](Fleet& fleet) -> asio::awaitable<void> {
        const auto view = fleet.view("a");
        EXPECT_EQ(view.state, InstanceState::ready);
        EXPECT_EQ(view.pid, before.pid);
        EXPECT_TRUE(view.adopted);
        const auto granted = co_await lease(fleet, "a");
        EXPECT_EQ(granted->endpoint().text(), before.address);
        EXPECT_EQ(granted->loaded(), 0ms);
    });
    EXPECT_EQ(count("instance.starting"), 0);
}

TEST_F(AdoptionTest, SeesTheEndOfAServerThatIsNotItsChild) {
    add_model("a");
    const auto before = load_and_leave("a");
    live([this, &before](Fleet& fleet) -> asio::awaitable<void> {
        auto granted = co_await lease(fleet, "a");
        ::kill(before.pid, SIGKILL);
        const auto end = co_await granted->end_within(5s);
        EXPECT_THAT(end, testing::HasSubstr("an earlier daemon started it"));
    });
}

TEST_F(AdoptionTest, ForgetsTheDead) {
    add_model("a");
    const auto before = load_and_leave("a");
    EXPECT_EQ(kill_processes({*identity_of(before.pid)}), 1U);
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_EQ(fleet.model_state("a"), InstanceState::off);
        EXPECT_TRUE(rows.rows.empty());
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted);
    });
}

TEST_F(AdoptionTest, LeavesAProcessAloneThatOnlyHasTheSameNumber) {
    add_model("a");
    Child::Program program;
    program.argv = {"/bin/sleep", "60"};
    program.log_fd = STDERR_FILENO;
    auto stranger = Child::spawn(program);
    ASSERT_TRUE(stranger);
    InstanceRow row;
    row.id = 7;
    row.model = "a";
    row.pid = stranger->pid();
    row.start_ticks = stranger->identity().start_ticks + 1;
    row.boot_id = stranger->identity().boot_id;
    rows.rows[7] = row;
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_EQ(fleet.model_state("a"), InstanceState::off);
        EXPECT_TRUE(rows.rows.empty());
        co_return;
    });
    EXPECT_TRUE(is_alive(stranger->identity()));
}

TEST_F(AdoptionTest, EndsAServerWhoseModelIsGoneOrChanged) {
    add_model("gone");
    add_model("changed");
    load_and_leave("gone");
    const auto changed = load_and_leave("changed");
    EXPECT_EQ(rows.rows.size(), 2U);
    models.erase(models.begin());
    models.front()->settings.context = 1234;
    live([this, &changed](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "changed");
        EXPECT_TRUE(granted);
        EXPECT_NE(fleet.view("changed").pid, changed.pid);
    });
    EXPECT_EQ(count("instance.stopped"), 3);
}

TEST_F(AdoptionTest, KillsWhatADaemonStartedAndHadNoTimeToRemember) {
    add_model("a");
    add_model("b");
    load_and_leave("a");
    const auto left = load_and_leave("b");
    rows.rows.erase(static_cast<std::int64_t>(left.id));
    const auto stray = identity_of(left.pid);
    ASSERT_TRUE(stray);
    live([&](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_EQ(fleet.model_state("a"), InstanceState::ready);  // this one has a row
        const auto granted = co_await lease(fleet, "b");          // and this one a new server
        EXPECT_TRUE(granted);
        EXPECT_NE(fleet.view("b").pid, left.pid);
    });
    EXPECT_FALSE(is_alive(*stray));
}

TEST_F(AdoptionTest, KillsWhatHasTheNumberOfAServerOfItsOwn) {
    add_model("a");
    Child::Program program;  // as if the daemon had died before it wrote down that it gave number 1
    program.argv = {"/bin/sleep", "60"};
    program.environment = {"ROUTERD_OWNER=" + config.state.dir,
                           "ROUTERD_INSTANCE=" + config.state.dir + "#1",
                           "ROUTERD_STARTED_BY=another"};
    program.log_fd = STDERR_FILENO;
    auto stray = Child::spawn(program);
    ASSERT_TRUE(stray);
    while (processes_with_environment(program.environment.front()).empty()) {
        // The environment shows a moment after the start.
    }
    live([](Fleet& fleet) -> asio::awaitable<void> {
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted);
        EXPECT_EQ(fleet.view("a").id, 1U);
        EXPECT_EQ(fleet.model_state("a"), InstanceState::ready);
    });
    EXPECT_FALSE(is_alive(stray->identity()));
}

TEST_F(AdoptionTest, WaitsForAServerThatStillLoads) {
    add_model("a", "gate=" + (dir / "gate"));
    live(
        [this](Fleet& fleet) -> asio::awaitable<void> {
            const auto begun = fleet.start_load("a");
            EXPECT_TRUE(begun);
            const auto loading = std::make_shared<Signal>(loop.get_executor());
            fleet.on_change([&fleet, loading] {
                if (fleet.model_state("a") == InstanceState::loading) {
                    loading->notify();
                }
            });
            const bool in_time = co_await loading->wait_until(in(5s));
            EXPECT_TRUE(in_time);
        },
        Fleet::OnShutdown::leave_running);
    live([this](Fleet& fleet) -> asio::awaitable<void> {
        EXPECT_EQ(fleet.model_state("a"), InstanceState::loading);
        dir.write("gate", "");
        const auto granted = co_await lease(fleet, "a");
        EXPECT_TRUE(granted);
        EXPECT_TRUE(fleet.view("a").adopted);
    });
    EXPECT_EQ(count("instance.starting"), 1);
}

}  // namespace
}  // namespace routerd::test
