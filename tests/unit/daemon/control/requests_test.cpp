#include <array>
#include <future>

#include <unistd.h>

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class RequestsTest : public ControlTest {
  protected:
    /// From the scenario's thread: the daemon has answered a request.
    void answer(std::string id, std::string model, unsigned status = 200,
                std::chrono::milliseconds took = 10ms) {
        std::promise<void> done;
        asio::post(daemon_->loop, [&] {
            FinishedRequest request;
            request.request = id;
            request.endpoint = "/v1/embeddings";
            request.model = model;
            request.status = status;
            request.error = status < 400 ? "" : "it went wrong";
            request.took = took;
            daemon_->requests.add(request);
            done.set_value();
        });
        done.get_future().wait();
    }

    static std::vector<std::string> names(const Result<api::RequestList>& list) {
        std::vector<std::string> found;
        for (const auto& row : list.value().items) {
            found.push_back(row.request);
        }
        return found;
    }
};

TEST_F(RequestsTest, ListsTheNewestFirstAndByWhatIsAsked) {
    live([this](Client& client) {
        EXPECT_THAT(names(client.requests({})), IsEmpty());
        answer("r-1", "a");
        answer("r-2", "b", 200, 6s);
        answer("r-3", "", 404);
        EXPECT_THAT(names(client.requests({})), ElementsAre("r-3", "r-2", "r-1"));
        EXPECT_THAT(names(client.requests({.limit = 1})), ElementsAre("r-3"));
        EXPECT_THAT(names(client.requests({.limit = 0})), testing::SizeIs(3));
        EXPECT_THAT(names(client.requests({.model = "A"})), ElementsAre("r-1"))
            << "any name of the model";
        EXPECT_THAT(names(client.requests({.slow = 5s})), ElementsAre("r-2"));
        EXPECT_THAT(names(client.requests({.failed = true})), ElementsAre("r-3"));
        const auto all = client.requests({});
        EXPECT_EQ(all->next, std::nullopt);
        EXPECT_EQ(all->items[0].model, std::nullopt);
        EXPECT_EQ(all->items[0].error, "it went wrong");
        EXPECT_EQ(all->items[1].took_ms, 6s);
        EXPECT_EQ(all->items[1].error, std::nullopt);
        EXPECT_EQ(client.requests({.limit = 2})->next, std::to_string(all->items[1].id));
    });
}

TEST_F(RequestsTest, AreThereAfterARestart) {
    live([this](Client&) { answer("before", "a"); });
    live([this](Client& client) {
        answer("after", "a");
        EXPECT_THAT(names(client.requests({})), ElementsAre("after", "before"));
    });
}

TEST_F(RequestsTest, AreFollowedUntilTheClientLeaves) {
    live([this](Client&) {
        std::array<int, 2> stop{};
        ASSERT_EQ(::pipe(stop.data()), 0);
        auto options = this->options();
        options.stop_fd = stop[0];
        Client follower(options);
        answer("one", "a");
        answer("two", "a");
        std::vector<std::string> seen;
        const auto ended = follower.follow_requests({}, [&](const api::RequestEntry& request) {
            seen.push_back(request.request);
            if (request.request == "two") {
                answer("other", "b", 404);
                answer("three", "a");
            } else if (request.request == "three") {
                EXPECT_EQ(::write(stop[1], "x", 1), 1);
            }
        });
        EXPECT_EQ(ended.error().code(), Errc::cancelled);
        EXPECT_THAT(seen, ElementsAre("one", "two", "other", "three"));
        ::close(stop[0]);
        ::close(stop[1]);
    });
}

}  // namespace
}  // namespace routerd::test
