#include "daemon/scheduler/line.hpp"

#include <random>

#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

using testing::ElementsAre;

constexpr auto aging = 30s;

/// A line in front of one slot, and what each key had of it.
class LineTest : public testing::Test {
  protected:
    void come(TicketId ticket, const std::string& key, Priority priority = Priority::normal,
              TimePoint deadline = TimePoint::max()) {
        shares_.join(key);
        line_.add({ticket, key, priority, now_, deadline}, shares_.used(key));
        keys_[ticket] = key;
    }

    /// Serves who is next for `time`.
    TicketId serve(std::chrono::milliseconds time = 1s) {
        const auto ticket = line_.next(now_, aging);
        line_.remove(ticket);
        const auto& key = keys_.at(ticket);
        shares_.grant(key, 100ms);
        shares_.settle(key, 100ms, time);
        line_.update(key, shares_.used(key));
        now_ += time;
        return ticket;
    }

    std::vector<TicketId> serve_all() {
        std::vector<TicketId> order;
        while (!line_.empty()) {
            order.push_back(serve());
        }
        return order;
    }

    Line line_;
    Shares shares_;
    std::map<TicketId, std::string> keys_;
    TimePoint now_ = TimePoint(1000h);
};

TEST_F(LineTest, ServesTheRequestsOfOneKeyInTheOrderOfTheirComing) {
    come(1, "a");
    come(2, "a");
    come(3, "a");
    EXPECT_EQ(line_.position(3), 3U);
    EXPECT_THAT(serve_all(), ElementsAre(1, 2, 3));
}

TEST_F(LineTest, ServesTheNearestDeadlineFirst) {
    come(1, "a");
    come(2, "a", Priority::normal, now_ + 1h);
    come(3, "a", Priority::normal, now_ + 30s);
    come(4, "a", Priority::normal, now_ + 20s);
    // Without a deadline it counts as ten minutes, and the far one as no nearer than that.
    EXPECT_THAT(serve_all(), ElementsAre(4, 3, 1, 2));
}

TEST_F(LineTest, TakesTurnsBetweenKeysHoweverManyRequestsOneHas) {
    for (TicketId ticket = 1; ticket <= 6; ++ticket) {
        come(ticket, "many");
    }
    come(7, "some");
    come(8, "some");
    EXPECT_THAT(serve_all(), ElementsAre(1, 7, 2, 8, 3, 4, 5, 6));
}

TEST_F(LineTest, SharesTimeNotRequests) {
    for (TicketId ticket = 1; ticket <= 20; ++ticket) {
        come(ticket, ticket % 2 == 0 ? "long" : "short");
    }
    std::map<std::string, int> served;
    for (int i = 0; i < 10; ++i) {
        const auto key = keys_.at(line_.next(now_, aging));
        ++served[key];
        serve(key == "long" ? 4s : 1s);
    }
    EXPECT_GE(served["short"], 7);
    EXPECT_GE(served["long"], 2);
}

TEST_F(LineTest, GivesAKeyThatRestedNoCredit) {
    come(1, "busy");
    come(2, "rare");
    serve_all();
    for (TicketId ticket = 3; ticket <= 40; ++ticket) {
        come(ticket, "busy");
    }
    for (int i = 0; i < 30; ++i) {
        serve(100ms);  // all of it sooner than anybody is lifted
    }
    for (TicketId ticket = 41; ticket <= 46; ++ticket) {
        come(ticket, "rare");
    }
    int rare = 0;
    for (int i = 0; i < 6; ++i) {
        rare += keys_.at(serve(100ms)) == "rare" ? 1 : 0;
    }
    EXPECT_GE(rare, 3);
    EXPECT_LE(rare, 4) << "it saved up its turns";
}

TEST_F(LineTest, ServesTheHigherBandFirst) {
    come(1, "a", Priority::low);
    come(2, "a", Priority::normal);
    come(3, "a", Priority::high);
    EXPECT_EQ(line_.position(1), 3U);
    EXPECT_THAT(serve_all(), ElementsAre(3, 2, 1));
}

TEST_F(LineTest, LiftsWhoWaitsByABandForEachAging) {
    come(1, "a", Priority::low);
    now_ += aging;
    come(2, "a", Priority::normal);
    come(3, "a", Priority::high);
    EXPECT_EQ(line_.next(now_, aging), 3U);
    EXPECT_EQ(line_.position(1), 2U) << "not among the normal ones yet";
    now_ += aging;
    come(4, "a", Priority::high);
    EXPECT_EQ(line_.next(now_, aging), 1U) << "low was not lifted twice";
}

TEST_F(LineTest, NeverLetsTheLowStarve) {
    come(1, "low", Priority::low);
    TicketId next = 2;
    int served_before = 0;
    for (; served_before < 1000; ++served_before) {
        come(next++, "high", Priority::high);
        if (serve() == 1) {
            break;
        }
    }
    EXPECT_LE(served_before, 61) << "one a second for twice the aging";
}

TEST_F(LineTest, ForgetsWhoLeaves) {
    come(1, "a");
    come(2, "b");
    line_.remove(1);
    line_.remove(1);
    EXPECT_EQ(line_.position(1), 0U);
    EXPECT_EQ(line_.size(), 1U);
    EXPECT_THAT(serve_all(), ElementsAre(2));
}

/// Whatever comes, leaves and is served: each is there exactly until it is taken out.
TEST_F(LineTest, KeepsItsBooks) {
    std::mt19937 random(7);
    const auto pick = [&random](unsigned below) {
        return std::uniform_int_distribution<unsigned>(0, below - 1)(random);
    };
    std::set<TicketId> there;
    TicketId last = 0;
    for (int i = 0; i < 20000; ++i) {
        const auto what = pick(5);
        if (what < 2) {
            come(++last, std::string(1, static_cast<char>('a' + pick(4))),
                 static_cast<Priority>(pick(3)),
                 pick(2) == 0 ? TimePoint::max() : now_ + 1ms * pick(100000));
            there.insert(last);
        } else if (what < 4 && !there.empty()) {
            ASSERT_EQ(there.erase(serve(1ms * pick(3000))), 1U);
        } else if (!there.empty()) {
            const auto gone = *std::next(there.begin(), pick(static_cast<unsigned>(there.size())));
            line_.remove(gone);
            there.erase(gone);
        }
        ASSERT_EQ(line_.size(), there.size());
    }
}

}  // namespace
}  // namespace routerd::scheduler
