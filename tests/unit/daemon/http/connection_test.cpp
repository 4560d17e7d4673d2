#include "daemon/http/connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;

class ConnectionTest : public testing::Test {
  protected:
    ConnectionTest() { std::tie(arrival_.socket, client_) = test::socket_pair(); }

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

/// Two bodies that a client sends one behind the other, of which the first is lent to a server that
/// reads it when the second has come.
class LentInputTest : public ConnectionTest {
  protected:
    LentInputTest() { std::tie(to_server_, server_) = test::socket_pair(); }

    void client_sends(std::string_view bytes) {
        ASSERT_EQ(::send(client_.get(), bytes.data(), bytes.size(), 0),
                  static_cast<ssize_t>(bytes.size()));
    }

    static asio::awaitable<void> receive(Connection& connection, std::size_t size) {
        connection.reserve(size);
        while (connection.input().size() < size) {
            const auto received = co_await connection.receive(steady_now() + 10s);
            EXPECT_TRUE(received);
            if (!received) {
                co_return;
            }
        }
    }

    void lend(Connection& connection) {
        const auto body = connection.input().substr(0, size);
        ASSERT_TRUE(connection.lend(body));
        const std::array<asio::const_buffer, 1> pieces{asio::buffer(body)};
        ASSERT_EQ(io_.lender().send(to_server_.get(), pieces), static_cast<ssize_t>(size));
        connection.consume(size);
    }

    std::string server_reads() {
        std::string all(size, '\0');
        all.resize(static_cast<std::size_t>(
            std::max<ssize_t>(::recv(server_.get(), all.data(), size, MSG_WAITALL), 0)));
        return all;
    }

    /// So much of the second has come with the first.
    asio::awaitable<void> both_come(std::size_t together) {
        Connection connection(std::move(arrival_), io_);
        client_sends(first_ + second_.substr(0, together));
        co_await receive(connection, size + together);
        lend(connection);
        client_sends(second_.substr(together));
        co_await receive(connection, size);
        EXPECT_TRUE(connection.input() == second_);
        EXPECT_TRUE(server_reads() == first_);
    }

    static constexpr std::size_t size = 60'000;  // the memory has little more when it has come
    const std::string first_ = std::string(size, '1');
    const std::string second_ = std::string(size, '2');
    UniqueFd to_server_;
    UniqueFd server_;
};

TEST_F(LentInputTest, IsNotTheNextBodys) {
    run(both_come(0));
}

TEST_F(LentInputTest, IsNotThatOfABodyThatCameWithItInPart) {
    run(both_come(3'000));
}

TEST_F(LentInputTest, IsJoinedWithAHeadBeforeIt) {
    auto scenario = [this]() -> asio::awaitable<void> {
        Connection connection(std::move(arrival_), io_);
        const std::string_view consumed = "what came before it";
        client_sends(std::string(consumed) + first_);
        co_await receive(connection, consumed.size() + size);
        connection.consume(consumed.size());
        const auto body = connection.input();
        const std::string longest(InputMemory::before + consumed.size(), 'h');
        EXPECT_TRUE(connection.join(longest + "h", body).empty()) << "there is no room";
        EXPECT_TRUE(connection.join(longest, body) == longest + first_);
        EXPECT_TRUE(connection.join("head", body) == "head" + first_);
        EXPECT_TRUE(connection.join("", body.substr(1)).empty()) << "it overwrote the first byte";
        EXPECT_TRUE(connection.join("head", second_).empty()) << "it is elsewhere";
        lend(connection);
        EXPECT_TRUE(connection.join("head", connection.input()).empty()) << "a server reads there";
        EXPECT_TRUE(server_reads() == first_);
    };
    run(scenario());
}

TEST_F(LentInputTest, IsReadAtOnceWhereTheLastWasAsLarge) {
    auto scenario = [this]() -> asio::awaitable<void> {
        Connection connection(std::move(arrival_), io_);
        const auto all_at_once = [&](std::string_view bytes) -> asio::awaitable<bool> {
            client_sends(bytes);
            const auto received = co_await connection.receive(steady_now() + 10s);
            const bool is_all = received && connection.input() == bytes;
            while (connection.input().size() < bytes.size()) {
                const auto rest = co_await connection.receive(steady_now() + 10s);
                if (!rest) {
                    co_return false;
                }
            }
            connection.release(0);
            co_return is_all;
        };
        std::vector<bool> were;
        for (const auto& bytes : {first_, second_, std::string("small"), first_, second_}) {
            const bool was = co_await all_at_once(bytes);
            were.push_back(was);
        }
        EXPECT_EQ(were, std::vector({false, true, true, false, true}));
    };
    run(scenario());
}

TEST_F(LentInputTest, WhatIsSmallIsNotLent) {
    auto scenario = [this]() -> asio::awaitable<void> {
        Connection connection(std::move(arrival_), io_);
        client_sends(first_.substr(0, 1000));
        co_await receive(connection, 1000);
        EXPECT_FALSE(connection.lend(connection.input()));
    };
    run(scenario());
}

}  // namespace
}  // namespace routerd
