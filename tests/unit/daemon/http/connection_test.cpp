#include "daemon/http/connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/tls_session.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;

class ConnectionTest : public testing::Test {
  protected:
    ConnectionTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        arrival_.socket = UniqueFd(ends[0]);
        client_ = UniqueFd(ends[1]);
    }

    asio::awaitable<void> sends(std::size_t size, std::chrono::milliseconds patience) {
        Connection connection(std::move(arrival_), io_);
        const std::string text(size, 'x');
        auto sent = co_await connection.send(text, patience);
        result_ = std::move(sent);
    }

    /// Some of it, again and again, until there is no more.
    asio::awaitable<void> reads(std::chrono::milliseconds pause) {
        asio::steady_timer timer(loop_);
        std::array<char, 64U << 10U> room{};
        for (ssize_t got = 1; got != 0;) {
            timer.expires_after(pause);
            co_await timer.async_wait(asio::use_awaitable);
            got = ::read(client_.get(), room.data(), room.size());
            read_ += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        }
    }

    void run(asio::awaitable<void> scenario) { test::run(loop_, std::move(scenario), 20s); }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    Arrival arrival_;
    UniqueFd client_;
    std::optional<Result<void>> result_;
    std::size_t read_ = 0;
};

TEST_F(ConnectionTest, SendsAsLongAsTheClientTakesSomething) {
    constexpr std::chrono::milliseconds patience = 1s;
    constexpr std::size_t size = 4U << 20U;
    asio::co_spawn(loop_, reads(patience / 40), asio::detached);  // 64 times: longer than that
    run(sends(size, patience));
    loop_.run_for(10s);
    EXPECT_TRUE(*result_) << result_->error().message();
    EXPECT_EQ(read_, size);
}

TEST_F(ConnectionTest, SendsNothingMoreToAClientThatTakesNothing) {
    run(sends(4U << 20U, 100ms));
    EXPECT_EQ(result_->error().code(), Errc::deadline_exceeded);
}

}  // namespace
}  // namespace routerd
