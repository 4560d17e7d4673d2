#include "daemon/net/mailbox.hpp"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/net/await_on.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd::test {
namespace {

struct Numbered {
    int sender = 0;
    int number = 0;
};

TEST(MailboxTest, BringsAllOfEachSenderInOrderToTheLoopsThread) {
    constexpr int each = 20'000;
    boost::asio::io_context loop(1);
    auto busy = boost::asio::make_work_guard(loop);
    std::array<int, 2> expected{};
    bool in_order = true;
    const auto here = std::this_thread::get_id();
    Mailbox<Numbered> box(loop.get_executor(), [&](Numbered&& message) {
        auto& next = expected.at(static_cast<std::size_t>(message.sender));
        in_order = in_order && message.number == next && std::this_thread::get_id() == here;
        ++next;
        if (expected[0] + expected[1] == 2 * each) {
            busy.reset();
        }
    });
    const auto send_all = [to = box.address()](int sender) {
        for (int i = 0; i < each; ++i) {
            to.send({sender, i});
        }
    };
    std::thread first(send_all, 0);
    std::thread second(send_all, 1);
    loop.run();
    first.join();
    second.join();
    EXPECT_TRUE(in_order);
    EXPECT_THAT(expected, testing::ElementsAre(each, each));
}

TEST(MailboxTest, TakesABurstInOneTurn) {
    boost::asio::io_context loop(1);
    std::vector<int> taken;
    Mailbox<int> box(loop.get_executor(), [&](int&& number) { taken.push_back(number); });
    for (const int number : {1, 2, 3}) {
        box.address().send(number);
    }
    EXPECT_EQ(loop.poll(), 1U);
    EXPECT_THAT(taken, testing::ElementsAre(1, 2, 3));
}

TEST(MailboxTest, LosesWhatComesWhenNobodyReadsIt) {
    boost::asio::io_context loop(1);
    auto box = std::make_unique<Mailbox<int>>(loop.get_executor(), [](int&&) { ADD_FAILURE(); });
    const auto to = box->address();
    to.send(1);
    box.reset();
    to.send(2);
    loop.run();
}

TEST(MailboxTest, KeepsNothingThatNobodyWillRead) {
    const auto message = std::make_shared<int>(1);
    Mailbox<std::shared_ptr<int>>::Address to;
    {
        boost::asio::io_context loop(1);
        const Mailbox<std::shared_ptr<int>> box(loop.get_executor(), [](auto&&) {});
        to = box.address();
        to.send(message);
    }
    to.send(message);
    to.send(message);
    EXPECT_EQ(message.use_count(), 1);
}

/// Another loop with its thread.
class Elsewhere {
  public:
    ~Elsewhere() {
        loop_.stop();
        thread_.join();
    }
    asio::any_io_executor executor() { return loop_.get_executor(); }
    std::thread::id thread() const { return thread_.get_id(); }

  private:
    boost::asio::io_context loop_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_ =
        boost::asio::make_work_guard(loop_);
    std::thread thread_{[this] { loop_.run(); }};
};

TEST(MailboxTest, MayBeWrittenToWhenItsLoopIsGone) {
    auto loop = std::make_unique<boost::asio::io_context>(1);
    auto box = std::make_unique<Mailbox<int>>(loop->get_executor(), [](int&&) { FAIL(); });
    const auto address = box->address();
    box.reset();
    loop.reset();
    std::thread([&address] { address.send(1); }).join();
}

TEST(AwaitOnTest, RunsThereAndComesBackHere) {
    boost::asio::io_context loop(1);  // outlives the thread that resumes it
    Elsewhere elsewhere;
    std::thread::id ran;
    const auto ask = [&]() -> asio::awaitable<void> {
        auto work = [&ran]() -> asio::awaitable<std::string> {
            ran = std::this_thread::get_id();
            co_return "answer";
        };
        const auto answer = co_await await_on<std::string>(elsewhere.executor(), work);
        EXPECT_EQ(answer, "answer");
        EXPECT_EQ(ran, elsewhere.thread());
        EXPECT_NE(std::this_thread::get_id(), elsewhere.thread());
    };
    run(loop, ask());
}

TEST(AwaitOnTest, ThrowsHereWhatIsThrownThere) {
    boost::asio::io_context loop(1);  // outlives the thread that resumes it
    Elsewhere elsewhere;
    const auto ask = [&]() -> asio::awaitable<void> {
        auto work = []() -> asio::awaitable<int> {
            throw std::runtime_error("there");
            co_return 1;
        };
        std::string said;
        try {
            co_await await_on<int>(elsewhere.executor(), work);
        } catch (const std::runtime_error& e) {
            said = e.what();
        }
        EXPECT_EQ(said, "there");
    };
    run(loop, ask());
}

}  // namespace
}  // namespace routerd::test
