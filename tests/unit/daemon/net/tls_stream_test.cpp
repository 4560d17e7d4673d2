#include <array>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "daemon/net/stream.hpp"
#include "daemon/net/tls_context.hpp"
#include "daemon/net/tls_session.hpp"
#include "tests/support/certificate.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using State = Stream::Outcome::State;

class Silent final : public Stream::Owner {
    void on_readable() override {}
    void on_writable() override {}
    void on_expired() override {}
};

/// Both ends of a TLS connection over TCP; the handshake is over.
class TlsStreamTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto files = test::make_certificate(folder_, "localhost");
        auto serving = TlsContext::load(files.certificate, files.key);
        auto asking = TlsClientContext::make(files.certificate);
        ASSERT_TRUE(serving && asking);
        asio::ip::tcp::acceptor acceptor(loop_, {asio::ip::address_v4::loopback(), 0});
        asio::ip::tcp::socket client(loop_);
        client.connect(acceptor.local_endpoint());
        client.non_blocking(true);
        auto accepted = acceptor.accept();
        accepted.non_blocking(true);
        client_ = take(client, asking->connect(client.native_handle(), "localhost"));
        server_ = take(accepted, serving->accept(accepted.native_handle()));
        std::array<char, 1> room{};
        auto step = client_->shake_hands();
        while (step.state == State::would_block) {
            server_->read(room);
            turn();
            step = client_->shake_hands();
        }
        ASSERT_EQ(step.state, State::moved) << client_->tls_fault();
        pass("request", *client_, *server_);
        pass("answer", *server_, *client_);
    }

    std::unique_ptr<Stream> take(asio::ip::tcp::socket& socket, std::unique_ptr<TlsSession> tls) {
        return std::make_unique<Stream>(UniqueFd(socket.release()), io_, owner_, std::move(tls));
    }

    void turn() { loop_.run_for(5ms); }

    static void write(std::string_view text, Stream& from) {
        std::array<asio::const_buffer, 1> pieces{asio::buffer(text)};
        std::span<asio::const_buffer> left(pieces);
        ASSERT_EQ(from.write(left).state, State::moved);
    }

    void pass(std::string_view text, Stream& from, Stream& to) {
        write(text, from);
        std::string got(100, '\0');
        auto read = to.read(got);
        while (read.state == State::would_block) {
            turn();
            read = to.read(got);
        }
        EXPECT_EQ(std::string_view(got).substr(0, read.count), text);
    }

    State read_by_client() {
        std::array<char, 100> room{};
        auto got = client_->read(room);
        while (got.state == State::would_block) {
            turn();
            got = client_->read(room);
        }
        return got.state;
    }

    test::TempDir folder_;
    asio::io_context loop_;
    IoLoop io_{loop_.get_executor()};
    Silent owner_;
    std::unique_ptr<Stream> client_;
    std::unique_ptr<Stream> server_;
};

TEST_F(TlsStreamTest, AServerThatHadClosedTookNothing) {
    const auto before = client_->mark();
    server_.reset();
    write("another request", *client_);
    EXPECT_EQ(read_by_client(), State::end);
    EXPECT_TRUE(client_->peer_took_nothing(before, 0));
}

TEST_F(TlsStreamTest, AServerThatReadIt) {
    const auto before = client_->mark();
    pass("another request", *client_, *server_);
    server_.reset();
    EXPECT_EQ(read_by_client(), State::end);
    EXPECT_FALSE(client_->peer_took_nothing(before, 0));
}

}  // namespace
}  // namespace routerd
