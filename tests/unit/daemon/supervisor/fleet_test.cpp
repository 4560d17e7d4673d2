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

}  // namespace
}  // namespace routerd::test
