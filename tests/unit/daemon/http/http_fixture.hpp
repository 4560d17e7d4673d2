#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "daemon/http/server.hpp"
#include "tests/support/coroutine.hpp"

namespace routerd::test {

/// A client that sends and receives bytes as they are written in the test.
class RawClient {
  public:
    /// `window`: bytes that its socket takes; 0: as many as the system lets it.
    RawClient(asio::io_context& loop, std::uint16_t port, int window = 0) : socket_(loop) {
        socket_.open(asio::ip::tcp::v4());
        if (window > 0) {
            socket_.set_option(asio::socket_base::receive_buffer_size(window));
        }
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }

    void send(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes)); }

    /// Everything up to and with `end`, or up to the server's close.
    asio::awaitable<std::string> read_until(std::string end) {
        for (;;) {
            const auto at = received_.find(end);
            if (at != std::string::npos) {
                auto result = received_.substr(0, at + end.size());
                received_.erase(0, at + end.size());
                co_return result;
            }
            std::array<char, 4096> piece{};
            auto [ec, n] = co_await socket_.async_read_some(asio::buffer(piece), no_throw);
            if (ec) {
                reset_ = ec == asio::error::connection_reset;
                co_return std::exchange(received_, {});
            }
            received_.append(piece.data(), n);
        }
    }

    asio::awaitable<std::string> read_all() {
        std::string never("\x01never\x01");
        auto all = co_await read_until(never);
        co_return all;
    }

    bool reset() const { return reset_; }
    void shutdown_send() { socket_.shutdown(asio::ip::tcp::socket::shutdown_send); }
    void close() { socket_.close(); }

  private:
    asio::ip::tcp::socket socket_;
    std::string received_;
    bool reset_ = false;
};

/// A server on a free port of loopback, and a loop to run it on.
class HttpTest : public testing::Test {
  protected:
    HttpTest() {
        config_.header_timeout = std::chrono::milliseconds(300);
        config_.body_timeout = std::chrono::milliseconds(300);
        config_.idle_timeout = std::chrono::seconds(10);
        config_.max_body = 1000;
    }

    void start() {
        server_ = std::make_unique<Server>(io_, routes_,
                                           Server::Options{config_, authorize_, nullptr, pass_on_});
        auto listener = Listener::open(io_, *parse_listen_address("127.0.0.1:0"));
        port_ = listener->address().port;
        server_->listen(std::move(*listener), false);
    }

    RawClient client() { return RawClient(loop_, port_); }

    /// Runs the scenario, then ends the server; nothing may be left.
    void run(asio::awaitable<void> scenario) {
        test::run(loop_, whole(std::move(scenario)));
        EXPECT_EQ(server_->connections(), 0U);
        EXPECT_EQ(server_->active(), 0U);
    }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    HttpConfig config_;
    Routes routes_;
    Authorize authorize_;
    std::function<void(Arrival)> pass_on_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;

  private:
    asio::awaitable<void> whole(asio::awaitable<void> scenario) {
        co_await std::move(scenario);
        server_->drain();
        server_->cut();
        co_await server_->wait();
    }
};

}  // namespace routerd::test
