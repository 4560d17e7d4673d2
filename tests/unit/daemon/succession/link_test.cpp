#include "daemon/succession/link.hpp"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/coroutine.hpp"

namespace routerd::test {
namespace {

using std::chrono::milliseconds;

Packet packet_with_file(int number) {
    Packet packet;
    packet.body = {{"number", number}};
    packet.files.emplace_back(::dup(STDERR_FILENO));
    return packet;
}

bool is_same_file(int one, int other) {
    struct stat first {};
    struct stat second {};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

TEST(LinkTest, BringsPacketsInOrderWithTheirFilesThoughNobodyReadsAtFirst) {
    auto pair = Link::make_pair();
    ASSERT_TRUE(pair);
    boost::asio::io_context loop(1);
    Link here(loop.get_executor(), std::move(pair->first));
    Link there(loop.get_executor(), std::move(pair->second));
    constexpr int count = 3000;  // more than a socket holds
    for (int i = 0; i < count; ++i) {
        here.send(packet_with_file(i));
    }
    auto read = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < count; ++i) {
            auto packet = co_await there.receive();
            EXPECT_TRUE(packet);
            if (!packet) {
                break;
            }
            EXPECT_EQ(packet->body.value("number", -1), i);
            EXPECT_EQ(packet->files.size(), 1U);
            EXPECT_TRUE(is_same_file(packet->files.at(0).get(), STDERR_FILENO));
        }
        co_await here.flush();
        co_await here.close();
        const auto end = co_await there.receive();
        EXPECT_FALSE(end);
        co_await there.close();
    };
    run(loop, read(), std::chrono::seconds(30));
}

TEST(LinkTest, WaitsNoLongerThanItIsTold) {
    auto pair = Link::make_pair();
    ASSERT_TRUE(pair);
    const auto now = Link::receive_now(pair->first.get(), steady_now() + milliseconds(5));
    ASSERT_FALSE(now);
    EXPECT_EQ(now.error().code(), Errc::deadline_exceeded);
    boost::asio::io_context loop(1);
    Link here(loop.get_executor(), std::move(pair->first));
    auto wait = [&]() -> asio::awaitable<void> {
        const auto packet = co_await here.receive(steady_now() + milliseconds(5));
        EXPECT_FALSE(packet);
        EXPECT_EQ(packet.error().code(), Errc::deadline_exceeded);
        EXPECT_TRUE(here.is_open());
        co_await here.close();
    };
    run(loop, wait());
}

TEST(LinkTest, TellsWhatItDoesNotUnderstandFromAnEnd) {
    for (const std::string text : {"", "[]", "{\"is\":", "\xff"}) {
        auto pair = Link::make_pair();
        ASSERT_TRUE(pair);
        ::send(pair->second.get(), text.data(), text.size(), 0);
        pair->second.reset();
        const auto packet = Link::receive_now(pair->first.get(), steady_now());
        ASSERT_FALSE(packet) << text;
        EXPECT_EQ(packet.error().code(), Errc::unavailable);
    }
}

TEST(LinkTest, GoesOnAfterAPacketThatIsTooLarge) {
    auto pair = Link::make_pair();
    ASSERT_TRUE(pair);
    boost::asio::io_context loop(1);
    Link here(loop.get_executor(), std::move(pair->first));
    here.say({{"text", std::string(Link::most_bytes, 'x')}});
    here.say({{"text", "small"}});
    const auto packet = Link::receive_now(pair->second.get(), steady_now());
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->body.value("text", ""), "small");
}

TEST(LinkTest, DropsWhatNobodyCanReadAnyMore) {
    auto pair = Link::make_pair();
    ASSERT_TRUE(pair);
    boost::asio::io_context loop(1);
    Link here(loop.get_executor(), std::move(pair->first));
    pair->second.reset();
    here.say({{"is", "lost"}});
    EXPECT_FALSE(here.is_open());
    run(loop, here.flush());
}

}  // namespace
}  // namespace routerd::test
