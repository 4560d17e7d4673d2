#include "daemon/http/upstream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/net/tls_context.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/descriptor_limit.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd::test {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;

/// A server elsewhere with a name, whose addresses the test decides.
class RemoteUpstreamTest : public testing::Test {
  protected:
    RemoteUpstreamTest()
        : pool_(io_, [this](const std::string&, std::uint16_t port) -> Result<NameBook::Addresses> {
              ++lookups_;
              NameBook::Addresses found;
              for (const auto& place : places_) {
                  found.emplace_back(tcp::endpoint(asio::ip::make_address(place), port));
              }
              return found;
          }) {}

    static tcp::acceptor listener(asio::io_context& loop, const std::string& place,
                                  std::uint16_t port) {
        return {loop, tcp::endpoint(asio::ip::make_address(place), port)};
    }

    /// Where the connection leads; empty: none was made, error_ says why.
    std::string connect() {
        std::string peer;
        run(loop_, connect_to(peer));
        loop_.restart();
        return peer;
    }

    asio::awaitable<void> connect_to(std::string& peer) {
        auto made = co_await pool_.connect(remote_);
        error_ = made ? "" : made.error().message();
        if (made) {
            sockaddr_in address{};
            socklen_t size = sizeof(address);
            ::getpeername((*made)->stream().native_handle(), reinterpret_cast<sockaddr*>(&address),
                          &size);
            peer = asio::ip::address_v4(ntohl(address.sin_addr.s_addr)).to_string();
            is_remote_ = (*made)->is_remote();
        }
    }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    std::vector<std::string> places_;  // what is found; changed while nobody asks
    int lookups_ = 0;
    UpstreamPool pool_;
    RemoteAddress remote_{"moving.test", 0, nullptr};
    std::string error_;
    bool is_remote_ = false;
};

int send_buffer(Upstream& upstream) {
    int size = 0;
    socklen_t length = sizeof(size);
    ::getsockopt(upstream.stream().native_handle(), SOL_SOCKET, SO_SNDBUF, &size, &length);
    return size;
}

TEST(UpstreamTest, MakesRoomForWhatIsLarge) {
    asio::io_context loop(1);
    IoLoop io(loop.get_executor());
    auto [ours, server] = test::socket_pair();
    Upstream upstream(std::move(ours), io);
    const auto usual = send_buffer(upstream);
    upstream.make_room(100'000);
    EXPECT_EQ(send_buffer(upstream), usual) << "it goes in as it is";
    upstream.make_room(500'000);
    const auto larger = send_buffer(upstream);
    EXPECT_GT(larger, usual);
    upstream.make_room(300'000);
    EXPECT_EQ(send_buffer(upstream), larger) << "never made smaller";
    upstream.make_room(1U << 30U);
    const auto largest = send_buffer(upstream);
    EXPECT_GE(largest, larger);
    EXPECT_LE(largest, 2 << 20) << "the kernel doubles what it is asked for";
}

TEST_F(RemoteUpstreamTest, IsWaitedForWhileThereIsNoDescriptor) {
    const auto here = listener(loop_, "127.0.0.1", 0);
    remote_.port = here.local_endpoint().port();
    places_ = {"127.0.0.1"};
    EXPECT_EQ(connect(), "127.0.0.1") << error_;
    std::optional<DescriptorLimit> none(3);
    asio::steady_timer later(loop_, std::chrono::milliseconds(50));
    later.async_wait([&none](auto) { none.reset(); });
    EXPECT_EQ(connect(), "127.0.0.1") << error_;
    EXPECT_FALSE(none);
}

TEST_F(RemoteUpstreamTest, IsLookedUpAnewWhenItIsNotWhereItWas) {
    auto one = listener(loop_, "127.0.0.1", 0);
    remote_.port = one.local_endpoint().port();
    auto two = listener(loop_, "127.0.0.2", remote_.port);
    places_ = {"127.0.0.1"};
    EXPECT_EQ(connect(), "127.0.0.1");
    EXPECT_TRUE(is_remote_);
    places_ = {"127.0.0.2"};
    EXPECT_EQ(connect(), "127.0.0.1");  // it works still
    EXPECT_EQ(lookups_, 1);
    one.close();
    EXPECT_EQ(connect(), "127.0.0.2");
    EXPECT_EQ(lookups_, 2);
}

TEST_F(RemoteUpstreamTest, IsTheFirstOfSeveralThatTakesIt) {
    auto two = listener(loop_, "127.0.0.2", 0);
    remote_.port = two.local_endpoint().port();
    places_ = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    EXPECT_EQ(connect(), "127.0.0.2");
    EXPECT_EQ(lookups_, 1);
}

TEST_F(RemoteUpstreamTest, IsNotLookedUpTwiceInARow) {
    auto gone = listener(loop_, "127.0.0.1", 0);
    remote_.port = gone.local_endpoint().port();
    gone.close();
    places_ = {"127.0.0.1"};
    EXPECT_EQ(connect(), "");
    EXPECT_THAT(error_, HasSubstr("connect to the model's server: Connection refused"));
    EXPECT_EQ(lookups_, 1);
    EXPECT_EQ(connect(), "");  // it was forgotten: another may have it by now
    EXPECT_EQ(lookups_, 2);
}

TEST_F(RemoteUpstreamTest, WithoutAnAddressIsSaid) {
    EXPECT_EQ(connect(), "");
    EXPECT_THAT(error_, HasSubstr("look up 'moving.test': it has no address"));
}

TEST_F(RemoteUpstreamTest, ThatClosesInTheHandshakeIsSaid) {
    auto one = listener(loop_, "127.0.0.1", 0);
    remote_.port = one.local_endpoint().port();
    remote_.tls = std::make_shared<const TlsClientContext>(*TlsClientContext::make(""));
    places_ = {"127.0.0.1"};
    one.async_accept([](boost::system::error_code, tcp::socket socket) { socket.close(); });
    EXPECT_EQ(connect(), "");
    EXPECT_THAT(error_, HasSubstr("TLS: "));
}

}  // namespace
}  // namespace routerd::test
