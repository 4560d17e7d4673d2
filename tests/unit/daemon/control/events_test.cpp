#include <array>

#include <unistd.h>

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::Each;
using testing::ElementsAre;
using testing::Field;

std::vector<std::string> types_of(const Result<api::EventList>& list) {
    std::vector<std::string> types;
    for (const auto& event : list.value().items) {
        types.push_back(event.type);
    }
    return types;
}

TEST_F(ControlTest, ListsEventsByModelAndType) {
    live([](Client& client) {
        ASSERT_TRUE(client.load("a", Wait::until_done));
        ASSERT_TRUE(client.pin("b"));
        const auto about_a = client.events({.after = std::nullopt, .limit = 100, .model = "A"});
        EXPECT_THAT(types_of(about_a), ElementsAre("instance.starting", "instance.ready"));
        EXPECT_THAT(about_a->items, Each(Field(&api::Event::model, "a")));
        const auto changes = client.events({.type = "model"});
        EXPECT_THAT(types_of(changes), ElementsAre("model.changed"));
        EXPECT_THAT(types_of(client.events({.type = "mod"})), testing::IsEmpty());
        const auto last = client.events({.limit = 1});
        EXPECT_THAT(types_of(last), ElementsAre("model.changed"));
        const auto none = client.events({.after = last->items[0].id});
        EXPECT_THAT(types_of(none), testing::IsEmpty());
    });
}

TEST_F(ControlTest, FollowsEventsUntilTheClientLeaves) {
    live([this](Client&) {
        std::array<int, 2> stop{};
        ASSERT_EQ(::pipe(stop.data()), 0);
        auto options = this->options();
        options.stop_fd = stop[0];
        Client follower(options);
        report_event("first");
        std::vector<std::string> seen;
        const auto ended = follower.follow_events({.type = "test"}, [&](const api::Event& event) {
            seen.push_back(event.message);
            if (event.message == "first") {
                report_event("second");
            } else {
                EXPECT_EQ(::write(stop[1], "x", 1), 1);
            }
        });
        EXPECT_EQ(ended.error().code(), Errc::cancelled);
        EXPECT_THAT(seen, ElementsAre("first", "second"));
        ::close(stop[0]);
        ::close(stop[1]);
    });
}

}  // namespace
}  // namespace routerd::test
