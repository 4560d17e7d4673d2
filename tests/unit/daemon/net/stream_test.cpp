#include "daemon/net/stream.hpp"

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/turn_time.hpp"
#include "tests/support/rare_crowd.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using State = Stream::Outcome::State;

/// Notes what it is told, and does what the test says.
class Owner final : public Stream::Owner {
  public:
    std::function<void()> readable = [] {};
    std::function<void()> writable = [] {};
    int times_readable = 0;
    int times_writable = 0;
    int times_expired = 0;

  private:
    void on_readable() override {
        ++times_readable;
        readable();
    }
    void on_writable() override {
        ++times_writable;
        writable();
    }
    void on_expired() override { ++times_expired; }
};

class StreamTest : public testing::Test {
  protected:
    StreamTest() {
        UniqueFd ours;
        std::tie(ours, peer_) = test::socket_pair();
        stream_ = std::make_unique<Stream>(std::move(ours), io_, owner_);
    }

    /// In place of the socket pair.
    void connect_by_tcp() {
        asio::ip::tcp::acceptor acceptor(loop_, {asio::ip::address_v4::loopback(), 0});
        asio::ip::tcp::socket client(loop_);
        client.connect(acceptor.local_endpoint());
        auto accepted = acceptor.accept();
        accepted.non_blocking(true);
        stream_ = std::make_unique<Stream>(UniqueFd(accepted.release()), io_, owner_);
        peer_ = UniqueFd(client.release());
        turn();
    }

    void turn() { loop_.run_for(20ms); }

    std::string read(std::size_t room = 100) {
        std::string text(room, '\0');
        const auto got = stream_->read(text);
        text.resize(got.count);
        return text;
    }

    Stream::Outcome write(std::string_view text) { return write(text, &Stream::write); }

    Stream::Outcome write(std::string_view text,
                          Stream::Outcome (Stream::*by)(std::span<asio::const_buffer>&)) {
        std::array<asio::const_buffer, 1> pieces{asio::buffer(text)};
        std::span<asio::const_buffer> left(pieces);
        return (*stream_.*by)(left);
    }

    void say(std::string_view text) {
        ASSERT_EQ(::write(peer_.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    Owner owner_;
    std::unique_ptr<Stream> stream_;
    UniqueFd peer_;
};

TEST_F(StreamTest, TellsOnceOfWhatCame) {
    say("hello");
    turn();
    EXPECT_EQ(owner_.times_readable, 1);
    EXPECT_TRUE(stream_->readable());
    EXPECT_EQ(read(), "hello");
    EXPECT_FALSE(stream_->readable()) << "less came than there was room for";
    say("more");
    turn();
    EXPECT_EQ(owner_.times_readable, 2);
}

TEST_F(StreamTest, TheLoopsTimeGoesOnWithoutIt) {
    say("hello");
    TimePoint told;
    owner_.readable = [&] { told = turn_now(); };
    turn();
    const auto later = steady_now();
    EXPECT_LE(told, later);
    EXPECT_GE(turn_now(), later) << "nothing has come since, which stops no clock";
}

TEST_F(StreamTest, MayHaveMoreWhenTheRoomWasFilled) {
    say("hello");
    turn();
    EXPECT_EQ(read(5), "hello");
    EXPECT_TRUE(stream_->readable());
    EXPECT_EQ(read(), "");
    EXPECT_FALSE(stream_->readable());
}

TEST_F(StreamTest, AnEndBehindUnreadBytesIsSeenAtOnce) {
    say("last words");
    peer_.reset();
    turn();
    EXPECT_TRUE(stream_->peer_closed());
    EXPECT_EQ(read(), "last words");
    EXPECT_TRUE(stream_->readable()) << "the end is still to be read";
    std::array<char, 8> room{};
    EXPECT_EQ(stream_->read(room).state, State::end);
}

TEST_F(StreamTest, IsNotToldOfLessThanItsLowWater) {
    connect_by_tcp();
    stream_->set_low_water(6);
    say("hello");
    turn();
    EXPECT_EQ(owner_.times_readable, 0);
    EXPECT_TRUE(stream_->holds_back());
    EXPECT_EQ(read(2), "he") << "a read gives what there is";
    say("!!");
    turn();
    EXPECT_EQ(owner_.times_readable, 0);
    say("!");
    turn();
    EXPECT_EQ(owner_.times_readable, 1);
    EXPECT_EQ(read(), "llo!!!");
    say("more");
    turn();
    EXPECT_EQ(owner_.times_readable, 1);
    stream_->set_low_water(1);
    turn();
    EXPECT_EQ(owner_.times_readable, 2) << "of what was held back";
    EXPECT_FALSE(stream_->holds_back());
}

/// Who is told first when something came for `stream_` and then for another one.
class StreamOrderTest : public StreamTest {
  protected:
    std::string told() {
        auto [ours, other_peer] = test::socket_pair();
        Owner other_owner;
        Stream other(std::move(ours), io_, other_owner);
        turn();
        std::string told;
        owner_.readable = [&told] { told += "it "; };
        other_owner.readable = [&told] { told += "other "; };
        say("hello");
        EXPECT_EQ(::write(other_peer.get(), "x", 1), 1);
        turn();
        return told;
    }
};

TEST_F(StreamOrderTest, OneWithALowWaterIsToldAfterOthers) {
    connect_by_tcp();
    stream_->set_low_water(2);
    EXPECT_EQ(told(), "other it ");
}

TEST_F(StreamOrderTest, OneThatIsNewIsToldAfterOthersWhereThereIsACrowd) {
    stream_->set_new(true);
    EXPECT_EQ(told(), "it other ");
    read();
    {
        const test::RareCrowd crowd(io_.poller());
        EXPECT_EQ(told(), "other it ");
        read();
        stream_->set_new(false);
        EXPECT_EQ(told(), "it other ");
        read();
        stream_->set_new(true);
    }
    EXPECT_EQ(told(), "it other ") << "they have left";
}

TEST_F(StreamOrderTest, OneThatIsListenedToRarelyIsToldAfterOthers) {
    stream_->listen_rarely(true);
    EXPECT_EQ(told(), "other it ");
    read();
    stream_->listen_rarely(false);
    EXPECT_EQ(told(), "it other ");
}

TEST_F(StreamTest, WhatItLetsGoOfHoldsNothingBack) {
    connect_by_tcp();
    stream_->set_low_water(6);
    auto [socket, tls] = stream_->release();
    stream_ = std::make_unique<Stream>(std::move(socket), io_, owner_);
    say("hello");
    turn();
    EXPECT_EQ(owner_.times_readable, 1);
}

TEST_F(StreamTest, IsToldOfAnEndBelowItsLowWater) {
    connect_by_tcp();
    stream_->set_low_water(100);
    say("bye");
    peer_.reset();
    turn();
    EXPECT_TRUE(stream_->peer_closed());
    EXPECT_EQ(read(), "bye");
}

TEST_F(StreamTest, WaitsForRoomThoughItIsListenedToRarely) {
    const std::string much(10'000'000, 'x');
    EXPECT_EQ(write(much).state, State::would_block);
    stream_->wait_for_output();
    stream_->listen_rarely(true);
    std::string room(much.size(), '\0');
    while (owner_.times_writable == 0 && ::read(peer_.get(), room.data(), room.size()) > 0) {
        turn();
    }
    EXPECT_EQ(owner_.times_writable, 1);
}

TEST_F(StreamTest, TellsWhenThereIsRoomAgain) {
    const std::string much(10'000'000, 'x');
    EXPECT_EQ(write(much).state, State::would_block);
    stream_->wait_for_output();
    turn();
    EXPECT_EQ(owner_.times_writable, 0);
    std::string sink(1'000'000, '\0');
    while (::read(peer_.get(), sink.data(), sink.size()) > 0) {
    }
    turn();
    EXPECT_EQ(owner_.times_writable, 1) << "once";
}

TEST_F(StreamTest, AnOwnerMayDestroyItWhenItIsTold) {
    owner_.readable = [this] { stream_.reset(); };
    say("x");
    turn();
    EXPECT_FALSE(stream_);
}

TEST_F(StreamTest, WhoIsDestroyedByAnotherIsNotTold) {
    auto [ours, other_peer] = test::socket_pair();
    Owner other_owner;
    auto other = std::make_unique<Stream>(std::move(ours), io_, other_owner);
    owner_.readable = [&other] { other.reset(); };
    other_owner.readable = [this] { stream_.reset(); };
    say("x");
    ASSERT_EQ(::write(other_peer.get(), "y", 1), 1);
    turn();
    EXPECT_EQ(owner_.times_readable + other_owner.times_readable, 1);
}

TEST_F(StreamTest, SaysWhetherThePeerReadWhatItWasSent) {
    write("first");
    std::array<char, 8> room{};
    ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 5);
    const auto before = stream_->mark();
    write("second");
    peer_.reset();  // unread
    const auto got = stream_->read(room);
    EXPECT_EQ(got.state, State::failed);
    EXPECT_TRUE(stream_->peer_took_nothing(before, got.error));
    EXPECT_FALSE(stream_->peer_took_nothing(before, 0)) << "an orderly end says nothing";
}

TEST_F(StreamTest, KnowsOfBytesThatAPeerWhoShutDownLeftUnread) {
    const auto before = stream_->mark();
    write("request");
    ASSERT_EQ(::shutdown(peer_.get(), SHUT_RDWR), 0);  // as cpp-httplib ends a kept connection
    std::array<char, 8> room{};
    EXPECT_EQ(stream_->read(room).state, State::end);
    EXPECT_TRUE(stream_->peer_took_nothing(before, 0));
    ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 7);
    EXPECT_FALSE(stream_->peer_took_nothing(before, 0)) << "it has read them after all";
}

TEST_F(StreamTest, KnowsOfThemAlsoWhenItHasClosedSinceItShutDown) {
    const auto before = stream_->mark();
    write("request");
    ASSERT_EQ(::shutdown(peer_.get(), SHUT_RDWR), 0);
    std::array<char, 8> room{};
    EXPECT_EQ(stream_->read(room).state, State::end);
    peer_.reset();
    EXPECT_TRUE(stream_->peer_took_nothing(before, 0));
}

TEST_F(StreamTest, KnowsNothingOfWhatATcpPeerReadThatResets) {
    connect_by_tcp();
    std::array<char, 8> room{};
    for (int i = 0; i < 3; ++i) {
        write("request");
        ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 7);
        ASSERT_EQ(::write(peer_.get(), "answer", 6), 6);
        turn();
        EXPECT_EQ(read(), "answer");
    }
    const auto before = stream_->mark();
    write("request");
    ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 7);  // before it is acknowledged
    const linger reset{1, 0};
    ::setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    peer_.reset();
    const auto got = stream_->read(room);
    EXPECT_EQ(got.error, ECONNRESET);
    EXPECT_FALSE(stream_->peer_took_nothing(before, got.error));
}

TEST_F(StreamTest, ExpiresAndStaysAsItIs) {
    stream_->set_deadline(steady_now() + 10ms);
    loop_.run_for(600ms);
    EXPECT_EQ(owner_.times_expired, 1);
    EXPECT_TRUE(stream_->is_open());
}

TEST_F(StreamTest, SmallPiecesAreOneMessage) {
    const std::string head = "head ";
    const std::string body = "body";
    std::array<asio::const_buffer, 3> pieces{asio::buffer(head), asio::const_buffer(),
                                             asio::buffer(body)};
    std::span<asio::const_buffer> left(pieces);
    EXPECT_EQ(stream_->write(left).count, 9U);
    EXPECT_TRUE(left.empty());
    std::array<char, 16> room{};
    ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 9);
    EXPECT_EQ(std::string_view(room.data(), 9), "head body");
}

TEST_F(StreamTest, WhatIsWrittenLastLeavesWithTheEnd) {
    connect_by_tcp();
    EXPECT_EQ(write("last words", &Stream::write_last).count, 10U);
    std::array<char, 16> room{};
    EXPECT_EQ(::recv(peer_.get(), room.data(), room.size(), MSG_DONTWAIT), -1) << "before it";
    stream_->shutdown_send();
    ASSERT_EQ(::read(peer_.get(), room.data(), room.size()), 10);
    EXPECT_EQ(std::string_view(room.data(), 10), "last words");
    EXPECT_EQ(::read(peer_.get(), room.data(), room.size()), 0);
}

}  // namespace
}  // namespace routerd
