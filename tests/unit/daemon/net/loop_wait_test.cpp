#include "daemon/net/loop_wait.hpp"

#include <functional>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "daemon/net/poller.hpp"
#include "daemon/net/turn_time.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;

/// One end of a pair of sockets, watched.
class Watched final : public Poller::Watched {
  public:
    explicit Watched(Poller& poller) : poller_(poller) {
        std::tie(ours_, theirs_) = test::socket_pair();
        poller_.add(ours_.get(), *this);
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { poller_.remove(ours_.get(), *this); }

    void poke() { EXPECT_EQ(::write(theirs_.get(), "x", 1), 1); }
    void watch_rarely(bool wanted) {
        EXPECT_TRUE(poller_.watch_rarely(ours_.get(), *this, wanted));
    }
    void want_output() { poller_.want_output(ours_.get(), *this, true); }

    int told = 0;
    unsigned told_of = 0;
    bool waits = false;
    std::function<void()> then = [] {};

  private:
    bool may_wait() const noexcept override { return waits; }
    void on_io(unsigned events) override {
        ++told;
        told_of |= events;
        then();
    }

    Poller& poller_;
    UniqueFd ours_;
    UniqueFd theirs_;
};

/// When it was called, and how often.
class Alarm final : public Poller::Alarm {
  public:
    int called = 0;
    TimePoint at;
    std::function<void()> then = [] {};

  private:
    void on_alarm() override {
        ++called;
        at = steady_now();
        then();
    }
};

class LoopWaitTest : public testing::Test {
  protected:
    LoopWaitTest() : loop_(std::make_unique<asio::io_context>(1)) {
        poller_.emplace(loop_->get_executor());
    }

    std::unique_ptr<asio::io_context> loop_;
    std::optional<Poller> poller_;
};

TEST_F(LoopWaitTest, AnAlarmEndsTheWaitAndIsWaitedFor) {
    Alarm alarm;
    const auto when = steady_now() + 20ms;
    poller_->set_alarm(alarm, steady_now() + 1h);
    poller_->set_alarm(alarm, when);
    loop_->run();  // though nothing is watched
    EXPECT_EQ(alarm.called, 1);
    EXPECT_GE(alarm.at, when);
    loop_->restart();
    alarm.then = [&] {
        if (alarm.called < 4) {
            poller_->set_alarm(alarm, steady_now());
        }
    };
    poller_->set_alarm(alarm, steady_now() - 1h);
    loop_->run();
    EXPECT_EQ(alarm.called, 4) << "it may be set again meanwhile";
}

TEST_F(LoopWaitTest, ACancelledAlarmIsNotWaitedFor) {
    Alarm alarm;
    poller_->set_alarm(alarm, steady_now() + 1h);
    poller_->cancel_alarm();
    loop_->run();
    EXPECT_EQ(alarm.called, 0);
}

TEST_F(LoopWaitTest, AnAlarmComesThoughTheLoopHasOtherThingsToDo) {
    Alarm alarm;
    asio::steady_timer tick(*loop_);
    std::function<void()> again = [&] {
        tick.expires_after(1ms);
        tick.async_wait([&](const boost::system::error_code&) {
            if (alarm.called == 0) {
                again();
            }
        });
    };
    std::function<void()> spin = [&] {
        if (alarm.called == 0) {
            asio::post(*loop_, spin);
        }
    };
    poller_->set_alarm(alarm, steady_now() + 20ms);
    again();  // Asio's set is ready again and again
    loop_->run();
    EXPECT_EQ(alarm.called, 1);
    loop_->restart();
    alarm.called = 0;
    poller_->set_alarm(alarm, steady_now() + 20ms);
    spin();  // and here it is never waited
    loop_->run();
    EXPECT_EQ(alarm.called, 1);
}

TEST_F(LoopWaitTest, EndsWhereNothingIsWatched) {
    EXPECT_EQ(loop_->run(), 0U);
    loop_->restart();
    {
        const Watched watched(*poller_);
        asio::post(*loop_, [] {});
        EXPECT_EQ(loop_->poll(), 1U);
        EXPECT_FALSE(loop_->stopped()) << "it waits for what is watched";
    }
    loop_->run();
    EXPECT_TRUE(loop_->stopped());
}

TEST_F(LoopWaitTest, WhatOtherThreadsPostComesWhileItWaits) {
    Watched watched(*poller_);
    std::promise<void> began;
    asio::post(*loop_, [&] { began.set_value(); });
    std::jthread other([&] {
        began.get_future().wait();
        for (int i = 0; i < 1000; ++i) {
            std::promise<void> came;
            asio::post(*loop_, [&came] { came.set_value(); });
            came.get_future().wait();
        }
        asio::post(*loop_, [this] { loop_->stop(); });
    });
    EXPECT_EQ(loop_->run_for(60s), 1002U);
}

TEST_F(LoopWaitTest, TimersAndSocketsOfAsioComeBesideOurs) {
    Watched watched(*poller_);
    asio::steady_timer timer(*loop_, 5ms);
    asio::ip::tcp::acceptor acceptor(*loop_, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(*loop_);
    bool accepted = false;
    timer.async_wait([&](const boost::system::error_code& error) {
        EXPECT_FALSE(error);
        watched.poke();
    });
    watched.then = [&] {
        client.async_connect(acceptor.local_endpoint(),
                             [](const boost::system::error_code& error) { EXPECT_FALSE(error); });
    };
    acceptor.async_accept([&](const boost::system::error_code& error, asio::ip::tcp::socket) {
        EXPECT_FALSE(error);
        accepted = true;
        loop_->stop();
    });
    loop_->run_for(60s);
    EXPECT_EQ(watched.told, 1);
    EXPECT_TRUE(accepted);
}

TEST_F(LoopWaitTest, EachIsToldOnceAndThoseWhoAskAgainLater) {
    Watched one(*poller_);
    Watched two(*poller_);
    two.then = [&] {
        if (two.told < 3) {
            poller_->again(two);
        } else {
            loop_->stop();
        }
    };
    one.poke();
    two.poke();
    loop_->run_for(60s);
    EXPECT_EQ(one.told, 1);
    EXPECT_EQ(two.told, 3);
}

/// Who is told of three that may wait, in whatever order ('.' each), and of one that may not ('!').
class PatienceTest : public LoopWaitTest {
  protected:
    PatienceTest() {
        for (int i = 0; i < 3; ++i) {
            auto& one = patient_.emplace_back(*poller_);
            one.waits = true;
            one.then = [this, &one] {
                told_ += '.';
                if (told_.size() == 1) {
                    on_first_(one);
                }
            };
            one.poke();
        }
        other_.then = [this] { told_ += '!'; };
    }

    std::string told() {
        while (loop_->poll() > 0) {
        }
        return told_;
    }

    std::list<Watched> patient_;
    Watched other_{*poller_};
    std::function<void(Watched&)> on_first_ = [](Watched&) {};
    std::string told_;
};

TEST_F(PatienceTest, ThoseThatMayWaitComeLast) {
    other_.poke();
    EXPECT_EQ(told(), "!...");
}

TEST_F(PatienceTest, OneThatComesMeanwhileIsBeforeThoseThatAreLeft) {
    on_first_ = [this](Watched&) { other_.poke(); };
    EXPECT_EQ(told(), ".!..");
}

TEST_F(PatienceTest, WhoIsGoneIsNotTold) {
    on_first_ = [this](Watched& first) {
        patient_.remove_if([&first](const Watched& one) { return &one != &first; });
    };
    EXPECT_EQ(told(), ".");
}

TEST_F(PatienceTest, WhoIsPokedAgainMeanwhileIsToldOnce) {
    on_first_ = [this](Watched& first) {
        for (auto& one : patient_) {
            if (&one != &first) {
                one.poke();
            }
        }
    };
    EXPECT_EQ(told(), "...");
}

TEST_F(PatienceTest, AllAreToldHoweverMany) {
    for (int i = 0; i < 1000; ++i) {
        auto& one = patient_.emplace_back(*poller_);
        one.waits = true;
        one.poke();
    }
    other_.poke();
    told();
    for (const auto& one : patient_) {
        EXPECT_EQ(one.told, 1);
    }
    EXPECT_EQ(other_.told, 1);
}

thread_local std::string* given_way_in = nullptr;

int give_way() noexcept {
    given_way_in->push_back('_');
    return 0;
}

/// '_': another thread has its turn of the processor.
TEST_F(LoopWaitTest, WhoWasWokenRunsBeforeEachThatMayWait) {
    const auto usual = []() noexcept { return std::optional<ProcessorTime>(ProcessorTime()); };
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_OTHER, &none), 0);  // whatever it was left with
    std::string told;
    given_way_in = &told;
    poller_.reset();
    loop_ = std::make_unique<asio::io_context>(1);
    poller_.emplace(loop_->get_executor(), WakePolicy(usual, give_way));
    std::list<Watched> patient;
    Watched other(*poller_);
    other.then = [&told] { told += '!'; };
    other.poke();
    loop_->poll();
    for (int i = 0; i < 3; ++i) {
        auto& one = patient.emplace_back(*poller_);
        one.waits = true;
        one.then = [&told] { told += '.'; };
        one.poke();
    }
    other.poke();
    while (loop_->poll() > 0) {
    }
    EXPECT_EQ(told, "!!_._._.");
}

class RareTest : public LoopWaitTest {
  protected:
    RareTest() {
        for (auto* one : {&first_, &second_}) {
            one->watch_rarely(true);
            one->then = [this, one] { (one == &first_ ? first_at_ : second_at_) = turn_now(); };
        }
    }

    /// Until there was nothing at a look by the clock.
    void settle() {
        loop_->run_for(3 * Poller::rarely);
        first_.told = second_.told = 0;
    }

    Watched first_{*poller_};
    Watched second_{*poller_};
    TimePoint first_at_;
    TimePoint second_at_;
};

TEST_F(RareTest, TheFirstIsToldAtOnceAndTheNextLater) {
    for (int i = 0; i < 3; ++i) {
        first_.poke();
        loop_->poll();
        EXPECT_EQ(first_.told, 1) << i;
        second_.poke();
        while (second_.told == 0) {
            loop_->run_one();
        }
        EXPECT_GE(second_at_ - first_at_, Poller::rarely) << i;
        settle();
    }
}

TEST_F(RareTest, ComesAfterOthers) {
    Watched other(*poller_);
    other.then = [&] { EXPECT_EQ(first_.told + second_.told, 0); };
    first_.poke();
    second_.poke();
    other.poke();
    settle();
    EXPECT_EQ(other.told, 1);
}

TEST_F(RareTest, OneThatNeedNotWaitAnyMoreIsToldAtOnce) {
    first_.poke();
    loop_->poll();
    second_.watch_rarely(false);
    second_.poke();
    loop_->poll();
    EXPECT_EQ(second_.told, 1);
    first_.poke();
    first_.watch_rarely(false);
    loop_->poll();
    EXPECT_GE(first_.told, 2) << "of what came before";
}

TEST_F(RareTest, IsToldOfOutput) {
    first_.want_output();
    settle();
    EXPECT_NE(first_.told_of & EPOLLOUT, 0U);
}

TEST_F(RareTest, WhoIsGoneIsNotTold) {
    auto third = std::make_unique<Watched>(*poller_);
    third->watch_rarely(true);
    first_.then = [&] { third.reset(); };
    first_.poke();
    third->poke();
    loop_->run_for(3 * Poller::rarely);
    EXPECT_EQ(first_.told, 1);
    EXPECT_EQ(third, nullptr);
}

TEST_F(LoopWaitTest, EndsThoughSomeWereToldRarely) {
    {
        Watched watched(*poller_);
        watched.watch_rarely(true);
        watched.poke();
        loop_->poll();
        EXPECT_EQ(watched.told, 1);
        EXPECT_FALSE(loop_->stopped());
    }
    loop_->run();
    EXPECT_TRUE(loop_->stopped());
}

TEST_F(LoopWaitTest, ALoopThatStopsBeforeItsTurnLeavesNothingBehind) {
    auto watched = std::make_unique<Watched>(*poller_);
    {
        asio::local::stream_protocol::socket one(*loop_);
        asio::local::stream_protocol::socket other(*loop_);
        asio::local::connect_pair(one, other);
        one.async_wait(asio::socket_base::wait_read,
                       [this](const boost::system::error_code&) { loop_->stop(); });
        loop_->poll();
        loop_->restart();
        asio::write(other, asio::buffer("x", 1));
        watched->poke();
        loop_->run();  // one wait finds both, and Asio's comes first
        EXPECT_EQ(watched->told, 0) << "its turn is still in the queue";
    }
    watched.reset();
    poller_.reset();
    loop_.reset();  // under the address sanitizer: of a turn that nobody takes, nothing is left
}

TEST_F(LoopWaitTest, ALoopIsAsBeforeWhereItWasTakenAway) {
    poller_.reset();
    asio::steady_timer timer(*loop_, 1ms);
    bool came = false;
    timer.async_wait([&](const boost::system::error_code&) { came = true; });
    loop_->run_for(60s);
    EXPECT_TRUE(came);
}

}  // namespace
}  // namespace routerd
