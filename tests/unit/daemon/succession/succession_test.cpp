// A daemon that has left its models, and its successor, on one loop.
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/net/tls_session.hpp"
#include "daemon/succession/arrivals.hpp"
#include "daemon/succession/codec.hpp"
#include "daemon/succession/predecessor.hpp"
#include "daemon/succession/successor_gate.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/played_gate.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SuccessionTest : public testing::Test {
  protected:
    SuccessionTest() {
        auto pair = Link::make_pair();
        link_.emplace(loop_.get_executor(), std::move(pair->first));
        predecessor_.emplace(std::move(pair->second));
    }
    ~SuccessionTest() override {
        auto end = [this]() -> asio::awaitable<void> {
            co_await link_->close();
            co_await predecessor_->close();
        };
        finish(end());
    }

    /// Until nothing happens any more.
    void turn() {
        for (int i = 0; i < 3; ++i) {
            loop_.restart();
            loop_.poll();
        }
    }

    void finish(asio::awaitable<void> task) {
        bool ended = false;
        asio::co_spawn(loop_, std::move(task),
                       [&ended](const std::exception_ptr& thrown) { ended = !thrown; });
        turn();
        EXPECT_TRUE(ended);
    }

    void serve(std::vector<std::pair<std::uint64_t, Ticket>> inherited = {}) {
        Predecessor::Services services{
            .executor = loop_.get_executor(),
            .gate = played_,
            .serve = [this](Arrival arrival) { arrivals_.push_back(std::move(arrival)); },
            .load = [this](std::string model) { loads_.push_back(std::move(model)); },
            .unload = [this](std::string model) { unloads_.push_back(std::move(model)); },
            .account =
                [this](Record record, const std::string& route) {
                    records_.push_back(route + " " + record.model);
                }};
        asio::co_spawn(loop_, predecessor_->serve(std::move(services), std::move(inherited)),
                       [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
        asio::co_spawn(loop_, listen(),
                       [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    }

    asio::awaitable<void> listen() {
        for (;;) {
            auto packet = co_await link_->receive();
            if (!packet) {
                break;
            }
            if (!gate_.take(packet->body)) {
                others_.push_back(packet->body.value("is", ""));
            }
        }
        gate_.detach();
    }

    static Demand for_model(const std::string& model) {
        Demand demand;
        demand.model = model;
        return demand;
    }

    template <class T>
    std::optional<T> settle(asio::awaitable<T> task) {
        std::optional<T> result;
        asio::co_spawn(loop_, std::move(task), [&result](std::exception_ptr thrown, T value) {
            EXPECT_FALSE(thrown);
            result = std::move(value);
        });
        turn();
        return result;
    }

    boost::asio::io_context loop_{1};
    PlayedGate played_{loop_.get_executor()};
    SuccessorGate gate_{loop_.get_executor()};
    std::optional<Link> link_;
    std::optional<Predecessor> predecessor_;
    std::vector<Arrival> arrivals_;
    std::vector<std::string> loads_;
    std::vector<std::string> unloads_;
    std::vector<std::string> records_;
    std::vector<std::string> others_;
};

TEST_F(SuccessionTest, AsksTheSuccessorAndGivesBackToIt) {
    serve();
    gate_.attach(*link_);
    auto ready = gate_.request(for_model("ready"));
    auto full = gate_.request(for_model("full"));
    auto slow = gate_.request(for_model("slow"));
    turn();
    EXPECT_THAT(others_, ElementsAre("serving"));
    ASSERT_TRUE(ready.settled());
    {
        auto lease = ready.take();
        ASSERT_TRUE(lease);
        EXPECT_EQ(lease->endpoint().unix_path, "/run/7.sock");
        EXPECT_EQ(predecessor_->requests(), 2U);
        lease->report.answered = Answered::whole;
        lease->report.tokens_per_second = 4.5;
    }
    EXPECT_EQ(full.take().error().code(), Errc::queue_full);
    EXPECT_FALSE(slow.settled());
    played_.settle();
    turn();
    EXPECT_TRUE(slow.settled());
    ASSERT_EQ(played_.released.size(), 1U);
    EXPECT_EQ(played_.released[0].answered, Answered::whole);
    EXPECT_EQ(played_.released[0].tokens_per_second, 4.5);
}

TEST_F(SuccessionTest, OneThatLeavesLeavesTheQueueThere) {
    serve();
    gate_.attach(*link_);
    {
        auto slow = gate_.request(for_model("slow"));
        turn();
        EXPECT_EQ(played_.waiting.size(), 1U);
    }
    turn();
    EXPECT_THAT(played_.waiting, IsEmpty());
}

TEST_F(SuccessionTest, WhatRanAndWaitedBeforeIsTakenOver) {
    Ticket::State waiting(gate_, 4, loop_.get_executor());
    Legacy legacy;
    legacy.held.push_back({3, 7, "team", true, false});
    legacy.waiting.push_back({4, for_model("slow"), &waiting});
    legacy.loads.emplace_back("large");
    legacy.unloads.emplace_back("old");
    legacy.next_ticket = 5;
    gate_.take_over(std::move(legacy));
    const auto held = gate_.held();
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].at("held").at("instance"), 7);
    std::vector<std::pair<std::uint64_t, Ticket>> inherited;
    inherited.emplace_back(3, played_.request(for_model("ready")));
    serve(std::move(inherited));
    gate_.attach(*link_);
    turn();
    EXPECT_THAT(loads_, ElementsAre("large"));
    EXPECT_THAT(unloads_, ElementsAre("old"));
    EXPECT_EQ(predecessor_->requests(), 2U);
    played_.settle();
    turn();
    EXPECT_TRUE(waiting.outcome.has_value());
    gate_.release(3, 7, {});
    gate_.release(4, 7, {});
    turn();
    EXPECT_EQ(predecessor_->requests(), 0U);
    EXPECT_THAT(gate_.held(), IsEmpty());
    EXPECT_EQ(gate_.request(for_model("ready")).settled(), false);  // has number 5: no old one
}

TEST_F(SuccessionTest, WhatIsAskedBeforeThereIsALinkIsAskedThen) {
    auto early = gate_.request(for_model("ready"));
    serve();
    turn();
    EXPECT_FALSE(early.settled());
    gate_.attach(*link_);
    turn();
    EXPECT_TRUE(early.settled());
}

TEST_F(SuccessionTest, QuestionsAreAnswered) {
    serve();
    gate_.attach(*link_);
    const auto admission = settle(gate_.admit("greedy"));
    ASSERT_TRUE(admission);
    EXPECT_EQ(admission->refusal->code(), Errc::rate_limited);
    EXPECT_EQ(settle(gate_.least_busy({"a", "b", "c"})), 2U);
    EXPECT_EQ(settle(gate_.end_of(5, std::chrono::milliseconds(6))), "5 after 6");
    auto slow = gate_.request(for_model("slow"));
    turn();
    const auto progress = settle(slow.progress());
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->loaded_percent, 42U);
    std::vector<std::uint64_t> closing;
    gate_.on_closing_instance([&closing](std::uint64_t id) { closing.push_back(id); });
    played_.on_closing(9);
    turn();
    EXPECT_THAT(closing, ElementsAre(9U));
}

TEST_F(SuccessionTest, ConnectionsAndRecordsArePassedOn) {
    serve();
    Arrival arrival;
    UniqueFd client;
    std::tie(arrival.socket, client) = test::socket_pair();
    arrival.input = "GET /";
    auto packet = succession::to_packet(std::move(arrival));
    ASSERT_TRUE(packet);
    link_->send(std::move(*packet));
    Record record;
    record.model = "fox";
    record.route = "/v1/{x}";
    link_->say({{"is", "record"}, {"record", succession::to_json(record)}});
    link_->say({{"is", "record"}, {"record", {{"status", "not a number"}}}});  // is not fatal
    link_->say({{"is", "something of a later version"}});
    turn();
    ASSERT_EQ(arrivals_.size(), 1U);
    EXPECT_EQ(arrivals_[0].input, "GET /");
    EXPECT_THAT(records_, ElementsAre("/v1/{x} fox"));
}

TEST_F(SuccessionTest, WithoutASuccessorAllAreRefused) {
    serve();
    gate_.attach(*link_);
    auto slow = gate_.request(for_model("slow"));
    turn();
    finish(predecessor_->close());
    ASSERT_TRUE(slow.settled());
    EXPECT_EQ(slow.take().error().code(), Errc::shutting_down);
    EXPECT_EQ(gate_.request(for_model("ready")).take().error().code(), Errc::shutting_down);
    EXPECT_EQ(settle(gate_.end_of(5, std::chrono::milliseconds(6))), "");
}

TEST_F(SuccessionTest, TheEndOfTheOneBeforeGivesAllBack) {
    serve();
    gate_.attach(*link_);
    auto ready = gate_.request(for_model("ready"));
    auto slow = gate_.request(for_model("slow"));
    turn();
    finish(link_->close());
    EXPECT_EQ(predecessor_->requests(), 0U);
    EXPECT_THAT(played_.waiting, IsEmpty());
    EXPECT_EQ(played_.released.size(), 1U);
}

}  // namespace
}  // namespace routerd::test
