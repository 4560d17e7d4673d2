#include "daemon/net/name_book.hpp"

#include <atomic>
#include <future>
#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/net/task_group.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

NameBook::Endpoint address(const std::string& text, std::uint16_t port) {
    return asio::ip::tcp::endpoint(asio::ip::make_address(text), port);
}

/// What the system would say, by the test's will; shared with threads that may outlive it.
struct PlayedNames {
    std::atomic<int> asked = 0;
    std::promise<void> begun;  // of "slow"
    std::promise<void> open;
    std::shared_future<void> opened = open.get_future().share();
};

class NameBookTest : public testing::Test {
  protected:
    NameBookTest() {
        book_ = std::make_unique<NameBook>(
            loop_.get_executor(),
            [names = names_](const std::string& host,
                             std::uint16_t port) -> Result<NameBook::Addresses> {
                const int count = ++names->asked;
                if (host == "slow") {
                    names->begun.set_value();
                    names->opened.wait();
                }
                if (host == "nobody") {
                    return Error(Errc::unavailable, "look up 'nobody': Name not known");
                }
                return NameBook::Addresses{address("127.0.0." + std::to_string(count), port)};
            });
    }
    ~NameBookTest() override { let_go(); }

    void let_go() {
        if (!std::exchange(gone_, true)) {
            names_->open.set_value();
        }
    }

    asio::awaitable<void> find(std::string host, TimePoint deadline) {
        auto found = co_await book_->find(std::move(host), 80, deadline);
        found_.push_back(std::move(found));
    }

    void find_now(const std::string& host) {
        run(loop_, find(host, steady_now() + std::chrono::seconds(60)));
        loop_.restart();
    }

    std::shared_ptr<PlayedNames> names_ = std::make_shared<PlayedNames>();
    bool gone_ = false;
    asio::io_context loop_{1};
    std::unique_ptr<NameBook> book_;
    std::vector<Result<NameBook::Found>> found_;
};

TEST_F(NameBookTest, AsksOnceAndRemembers) {
    find_now("host");
    find_now("host");
    ASSERT_TRUE(found_.at(0));
    ASSERT_TRUE(found_.at(1));
    EXPECT_TRUE(found_[0]->is_fresh);
    EXPECT_FALSE(found_[1]->is_fresh);
    EXPECT_EQ(found_[1]->addresses, NameBook::Addresses{address("127.0.0.1", 80)});
    EXPECT_EQ(names_->asked, 1);
}

TEST_F(NameBookTest, AsksAnewForWhatDoesNotWork) {
    find_now("host");
    book_->forget("host", 81);
    find_now("host");
    book_->forget("host", 80);
    find_now("host");
    EXPECT_FALSE(found_.at(1)->is_fresh);
    EXPECT_TRUE(found_.at(2)->is_fresh);
    EXPECT_EQ(found_[2]->addresses, NameBook::Addresses{address("127.0.0.2", 80)});
}

TEST_F(NameBookTest, DoesNotRememberAFailure) {
    find_now("nobody");
    find_now("nobody");
    EXPECT_THAT(found_.at(0).error().message(), HasSubstr("Name not known"));
    EXPECT_EQ(names_->asked, 2);
}

TEST_F(NameBookTest, AsksOnceForAllWhoAskTogether) {
    TaskGroup group(loop_.get_executor(), "test");
    for (int i = 0; i < 3; ++i) {
        group.spawn(find("slow", TimePoint::max()));
    }
    loop_.poll();
    let_go();
    run(loop_, group.wait());
    ASSERT_EQ(found_.size(), 3U);
    for (const auto& found : found_) {
        ASSERT_TRUE(found);
        EXPECT_TRUE(found->is_fresh);
    }
    EXPECT_EQ(names_->asked, 1);
}

TEST_F(NameBookTest, WaitsNoLongerThanItsDeadline) {
    run(loop_, find("slow", steady_now() + std::chrono::milliseconds(20)));
    ASSERT_FALSE(found_.at(0));
    EXPECT_EQ(found_[0].error().code(), Errc::deadline_exceeded);
    // Another name's answer does not wait for it.
    loop_.restart();
    find_now("host");
    EXPECT_TRUE(found_.at(1));
}

TEST_F(NameBookTest, KeepsAnAnswerThatCameTooLateForWhoAsked) {
    run(loop_, find("slow", steady_now() + std::chrono::milliseconds(20)));
    loop_.restart();
    let_go();
    find_now("slow");
    EXPECT_TRUE(found_.at(1));
    EXPECT_EQ(names_->asked, 1);
}

TEST_F(NameBookTest, MayGoWhileTheSystemIsAsked) {
    {
        TaskGroup group(loop_.get_executor(), "test");
        group.spawn(find("slow", TimePoint::max()));
        loop_.poll();
        names_->begun.get_future().wait();
        group.cancel();
        loop_.restart();
        run(loop_, group.wait());
    }
    book_.reset();
    let_go();  // the thread tells nobody
    loop_.restart();
    loop_.poll();
    EXPECT_EQ(names_->asked, 1);
}

TEST(AskSystemTest, TakesAnAddressForItsOwn) {
    const auto v4 = NameBook::ask_system("127.0.0.9", 8080);
    ASSERT_TRUE(v4);
    EXPECT_EQ(*v4, NameBook::Addresses{address("127.0.0.9", 8080)});
    const auto v6 = NameBook::ask_system("::1", 8080);
    ASSERT_TRUE(v6);
    EXPECT_EQ(*v6, NameBook::Addresses{address("::1", 8080)});
}

TEST(AskSystemTest, SaysThatThereIsNoSuchName) {
    const auto none = NameBook::ask_system("no such name", 80);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::unavailable);
    EXPECT_THAT(none.error().message(), HasSubstr("look up 'no such name'"));
}

}  // namespace
}  // namespace routerd::test
