// Streams that have their turn together, whose reads and writes the loop joins.
#include <array>
#include <cerrno>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/stream.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

using State = Stream::Outcome::State;

/// A stream, who owns it, and the other end.
class Line final : public Stream::Owner {
  public:
    explicit Line(IoLoop& loop) {
        UniqueFd ours;
        std::tie(ours, peer) = test::socket_pair();
        stream = std::make_unique<Stream>(std::move(ours), loop, *this);
    }

    void say(std::string_view text) {
        ASSERT_EQ(::write(peer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    /// What the other end has got.
    std::string hear() {
        std::string room(1U << 20U, '\0');
        const auto count = ::read(peer.get(), room.data(), room.size());
        room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return room;
    }

    std::string read(std::size_t room = 1U << 20U) {
        std::string text(room, '\0');
        const auto got = stream->read(text);
        text.resize(got.count);
        return text;
    }

    Stream::Outcome write(std::string_view text) {
        std::array<asio::const_buffer, 1> pieces{asio::buffer(text)};
        std::span<asio::const_buffer> left(pieces);
        return stream->write(left);
    }

    /// Fills the socket. Gives the bytes that it took.
    std::size_t fill() {
        const std::string much(1U << 20U, 'x');
        std::size_t all = 0;
        for (ssize_t sent = 0; sent >= 0; all += static_cast<std::size_t>(sent)) {
            sent = ::send(stream->native_handle(), much.data(), much.size(), MSG_DONTWAIT);
            if (sent < 0) {
                break;
            }
        }
        return all;
    }

    std::unique_ptr<Stream> stream;
    UniqueFd peer;
    std::function<void()> readable = [] {};
    int times_readable = 0;
    int times_writable = 0;

  private:
    void on_readable() override {
        ++times_readable;
        readable();
    }
    void on_writable() override { ++times_writable; }
    void on_expired() override {}
};

class JoinedStream : public testing::Test {
  protected:
    void SetUp() override {
        IoBatch batch;
        if (!batch.is_joined()) {
            GTEST_SKIP() << "there is no io_uring here";
        }
    }

    /// All that is ready, and what follows from it; nothing here takes time.
    void turn() {
        loop_.restart();
        while (loop_.poll() > 0) {
        }
    }

    /// So that the next turn has more than one.
    void say_something_else() { other_.say("something else"); }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    Line line_{io_};
    Line other_{io_};
};

TEST_F(JoinedStream, GivesWhatWasReceivedWithoutACopy) {
    std::string early;
    std::string rest;
    line_.readable = [&] {
        early = line_.stream->read_early();
        EXPECT_EQ(line_.stream->read_early(), "") << "twice";
        rest = line_.read();
    };
    say_something_else();
    line_.say("hello");
    turn();
    EXPECT_EQ(early, "hello");
    EXPECT_EQ(rest, "");
    say_something_else();
    line_.say(std::string(Poller::early_room, 'a') + "b");
    turn();
    EXPECT_EQ(early, std::string(Poller::early_room, 'a'));
    EXPECT_EQ(rest, "b") << "what there was no room for";
}

TEST_F(JoinedStream, EachGetsItsOwnBytes) {
    std::list<Line> lines;
    for (int i = 0; i < 150; ++i) {  // more than are read by one call, and told by one turn
        lines.emplace_back(io_).say("line " + std::to_string(i));
    }
    turn();
    int i = 0;
    for (auto& line : lines) {
        EXPECT_EQ(line.times_readable, 1);
        EXPECT_EQ(line.read(), "line " + std::to_string(i++));
        EXPECT_FALSE(line.stream->readable());
    }
}

TEST_F(JoinedStream, WhatNobodyReadsStaysInOrder) {
    line_.say("first ");
    say_something_else();
    turn();
    EXPECT_TRUE(line_.stream->readable());
    line_.say("second ");
    other_.say("and more");  // another turn, whose bytes lie where the first ones were
    turn();
    EXPECT_EQ(line_.read(3), "fir");
    line_.say("third");
    say_something_else();
    turn();
    std::string all;
    while (line_.stream->readable()) {
        all += line_.read(5);
    }
    EXPECT_EQ(all, "st second third");
    EXPECT_EQ(other_.read(), "something else");
}

TEST_F(JoinedStream, MoreThanThereIsAPlaceForComesWhole) {
    std::string much;
    for (int i = 0; much.size() < 50'000; ++i) {
        much += std::to_string(i) + " ";
    }
    std::string all;
    line_.readable = [&] {
        while (line_.stream->readable()) {
            all += line_.read(1000);
        }
    };
    line_.say(much);
    say_something_else();
    turn();
    EXPECT_EQ(all, much);
    line_.say("and the rest");
    turn();
    EXPECT_EQ(all, much + "and the rest");
}

TEST_F(JoinedStream, AnEndComesBehindTheLastBytes) {
    line_.say("last words");
    line_.peer.reset();
    say_something_else();
    turn();
    EXPECT_TRUE(line_.stream->peer_closed());
    EXPECT_EQ(line_.read(), "last words");
    EXPECT_TRUE(line_.stream->readable());
    std::array<char, 8> room{};
    EXPECT_EQ(line_.stream->read(room).state, State::end);
    EXPECT_FALSE(line_.stream->readable());
}

TEST_F(JoinedStream, AnEndAloneIsKnownBeforeItIsTold) {
    other_.readable = [this] {
        EXPECT_TRUE(line_.stream->readable()) << "a kept connection is not taken for a request";
    };
    other_.say("x");
    line_.peer.reset();
    turn();
    EXPECT_EQ(other_.times_readable, 1);
    std::array<char, 8> room{};
    EXPECT_EQ(line_.stream->read(room).state, State::end);
}

TEST_F(JoinedStream, ABrokenConnectionSaysWhy) {
    line_.write("never read");
    line_.peer.reset();
    say_something_else();
    turn();
    std::array<char, 8> room{};
    const auto got = line_.stream->read(room);
    EXPECT_EQ(got.state, State::failed);
    EXPECT_EQ(got.error, ECONNRESET);
}

TEST_F(JoinedStream, AnotherMayReadItBeforeItIsTold) {
    std::string seen;
    const auto read_both = [&] { seen += line_.read() + other_.read(); };
    line_.readable = read_both;
    other_.readable = read_both;
    line_.say("one ");
    other_.say("two ");
    turn();
    EXPECT_EQ(seen, "one two ");
    EXPECT_EQ(line_.times_readable + other_.times_readable, 2);
}

TEST_F(JoinedStream, WhoIsDestroyedByAnotherIsNotTold) {
    line_.readable = [this] { other_.stream.reset(); };
    other_.readable = [this] { line_.stream.reset(); };
    line_.say("x");
    other_.say("y");
    turn();
    EXPECT_EQ(line_.times_readable + other_.times_readable, 1);
}

TEST_F(JoinedStream, WhatItReceivedGoesWithItsSocket) {
    line_.say("received and unread");
    say_something_else();
    turn();
    EXPECT_EQ(line_.read(9), "received ");
    EXPECT_EQ(line_.stream->take_received(), "and unread");
    EXPECT_EQ(line_.stream->take_received(), "");
    auto [socket, tls] = line_.stream->release();
    line_.stream = std::make_unique<Stream>(std::move(socket), io_, line_);
    line_.say("later");
    turn();
    EXPECT_EQ(line_.read(), "later");
}

/// What `line_` does in a turn that it shares.
#define IN_A_SHARED_TURN(...)                  \
    do {                                       \
        line_.readable = [&] {                 \
            line_.read();                      \
            __VA_ARGS__                        \
            line_.readable = [] {};            \
        };                                     \
        line_.say("?");                        \
        say_something_else();                  \
        turn();                                \
        ASSERT_TRUE(line_.times_readable > 0); \
    } while (false)

TEST_F(JoinedStream, WritesOfATurnHaveLeftWhenItEnds) {
    IN_A_SHARED_TURN({
        EXPECT_EQ(line_.write("an answer").state, State::moved);
        EXPECT_EQ(line_.stream->mark(), 9U);
        EXPECT_EQ(line_.hear(), "") << "not yet";
    });
    EXPECT_EQ(line_.hear(), "an answer");
    EXPECT_FALSE(line_.stream->has_unsent());
}

TEST_F(JoinedStream, WritesOfATurnKeepTheirOrder) {
    const std::string large(10'000, 'y');
    IN_A_SHARED_TURN({
        line_.write("one ");
        line_.write("two ");
        line_.write(large);  // too large to be joined
        line_.write(" three");
    });
    EXPECT_EQ(line_.hear(), "one two " + large + " three");
}

TEST_F(JoinedStream, ManyWritesAreMoreThanOneCall) {
    std::list<Line> lines;
    const std::string text(4000, 'z');
    for (int i = 0; i < 100; ++i) {
        auto& line = lines.emplace_back(io_);
        line.readable = [&line, &text] {
            line.read();
            line.write(text);
        };
        line.say("?");
    }
    turn();
    for (auto& line : lines) {
        EXPECT_EQ(line.hear(), text);
    }
}

TEST_F(JoinedStream, WhatTheSocketDidNotTakeWaitsForRoom) {
    const auto filled = line_.fill();
    IN_A_SHARED_TURN({ EXPECT_EQ(line_.write("the end").state, State::moved); });
    EXPECT_TRUE(line_.stream->has_unsent());
    const auto got = line_.write("!");
    EXPECT_EQ(got.state, State::would_block) << "order";
    EXPECT_EQ(got.count, 0U);
    line_.stream->wait_for_output();
    turn();
    EXPECT_EQ(line_.times_writable, 0);
    std::string all;
    while (all.size() < filled) {
        all += line_.hear();
    }
    turn();
    EXPECT_FALSE(line_.stream->has_unsent());
    EXPECT_EQ(line_.times_writable, 1);
    all += line_.hear();
    EXPECT_EQ(all.substr(filled), "the end");
    EXPECT_EQ(line_.stream->mark(), 7U);
    EXPECT_EQ(line_.write("!").state, State::moved);
    EXPECT_EQ(line_.hear(), "!");
}

TEST_F(JoinedStream, AFailedWriteIsToldAsTheEnd) {
    IN_A_SHARED_TURN({
        line_.peer.reset();
        EXPECT_EQ(line_.write("to nobody").state, State::moved);
    });
    EXPECT_TRUE(line_.stream->peer_closed());
    EXPECT_GT(line_.times_readable, 1) << "its owner is told";
    std::array<char, 8> room{};
    const auto got = line_.stream->read(room);
    EXPECT_EQ(got.state, State::failed);
    EXPECT_EQ(got.error, EPIPE);
    EXPECT_TRUE(line_.stream->peer_took_nothing(0, got.error));
    EXPECT_EQ(line_.write("again").state, State::failed);
}

TEST_F(JoinedStream, AnAnswerBehindWhichThePeerClosedIsReadBeforeTheFailure) {
    IN_A_SHARED_TURN({
        line_.say("too large");  // a server that answers before it has read all
        line_.peer.reset();
        line_.write("the rest");
    });
    EXPECT_EQ(line_.read(), "too large");
    std::array<char, 8> room{};
    EXPECT_EQ(line_.stream->read(room).error, EPIPE);
}

TEST_F(JoinedStream, WhatWasWrittenArrivesThoughItIsClosedInTheSameTurn) {
    IN_A_SHARED_TURN({
        line_.write("goodbye");
        line_.stream->close();
    });
    EXPECT_EQ(line_.hear(), "goodbye");
}

TEST_F(JoinedStream, AnEndOfOurSideComesBehindWhatWasWritten) {
    IN_A_SHARED_TURN({
        line_.write("goodbye");
        line_.stream->shutdown_send();
    });
    EXPECT_EQ(line_.hear(), "goodbye");
    std::array<char, 8> room{};
    EXPECT_EQ(::read(line_.peer.get(), room.data(), room.size()), 0);
}

TEST_F(JoinedStream, NothingIsJoinedWhereThatIsNotWanted) {
    io_.poller().join(false);
    IN_A_SHARED_TURN({
        line_.write("at once");
        EXPECT_EQ(line_.hear(), "at once");
    });
}

}  // namespace
}  // namespace routerd
