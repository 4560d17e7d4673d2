#include <array>

#include <spdlog/logger.h>
#include <unistd.h>

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

std::vector<std::string> texts_of(const Result<api::LogList>& list) {
    std::vector<std::string> texts;
    for (const auto& line : list.value().items) {
        texts.push_back(line.text);
    }
    return texts;
}

/// A client that stops when it is told to, from its own callback.
class Stoppable {
  public:
    explicit Stoppable(client::Options options) {
        EXPECT_EQ(::pipe(stop_.data()), 0);
        options.stop_fd = stop_[0];
        client.emplace(std::move(options));
    }
    ~Stoppable() {
        ::close(stop_[0]);
        ::close(stop_[1]);
    }
    void stop() { EXPECT_EQ(::write(stop_[1], "x", 1), 1); }

    std::optional<client::Client> client;

  private:
    std::array<int, 2> stop_{};
};

TEST_F(ControlTest, ShowsTheDaemonsOwnLog) {
    live([this](Client& client) {
        spdlog::logger logger("test", daemon_->ring.sink());
        logger.info("one");
        logger.warn("two");
        EXPECT_THAT(texts_of(client.logs({})), ElementsAre("info: one", "warning: two"));
        EXPECT_THAT(texts_of(client.logs({.model = "", .lines = 1})), ElementsAre("warning: two"));
        const auto later = std::chrono::system_clock::now() + std::chrono::hours(1);
        EXPECT_THAT(texts_of(client.logs({.since = later})), testing::IsEmpty());
        EXPECT_EQ(texts_of(client.logs({.until = later})).size(), 2U);
    });
}

TEST_F(ControlTest, FollowsTheDaemonsOwnLog) {
    live([this](Client&) {
        spdlog::logger logger("test", daemon_->ring.sink());
        logger.info("one");
        Stoppable follower(options());
        std::vector<std::string> seen;
        const auto ended = follower.client->follow_logs({}, [&](const api::LogLine& line) {
            seen.push_back(line.text);
            if (seen.size() == 1) {
                logger.info("two");
            } else {
                follower.stop();
            }
        });
        EXPECT_EQ(ended.error().code(), Errc::cancelled);
        EXPECT_THAT(seen, ElementsAre("info: one", "info: two"));
    });
}

TEST_F(ControlTest, ShowsAndFollowsAModelsLog) {
    live([this](Client& client) {
        EXPECT_EQ(client.logs({.model = "a"}).error().code(), Errc::not_found);
        EXPECT_EQ(client.logs({.model = "none"}).error().code(), Errc::model_not_found);
        ASSERT_TRUE(client.load("a", Wait::until_done));
        const auto lines = client.logs({.model = "a", .lines = 0});
        ASSERT_TRUE(lines) << lines.error().message();
        EXPECT_FALSE(lines->items.empty());

        Stoppable follower(options());
        std::size_t seen = 0;
        bool restarted = false;
        const auto sink = [&](const api::LogLine&) {
            if (++seen == lines->items.size()) {
                EXPECT_TRUE(client.restart("a"));
                restarted = true;
            } else if (restarted) {
                follower.stop();
            }
        };
        const auto ended = follower.client->follow_logs({.model = "a", .lines = 0}, sink);
        EXPECT_EQ(ended.error().code(), Errc::cancelled);
        EXPECT_GT(seen, lines->items.size());
    });
}

}  // namespace
}  // namespace routerd::test
