#include "daemon/net/io_batch.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

struct Pair {
    Pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        ours = UniqueFd(ends[0]);
        theirs = UniqueFd(ends[1]);
    }
    UniqueFd ours;
    UniqueFd theirs;
};

void say(const UniqueFd& socket, std::string_view text) {
    ASSERT_EQ(::write(socket.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string hear(const UniqueFd& socket) {
    std::string room(100, '\0');
    const auto count = ::recv(socket.get(), room.data(), room.size(), MSG_DONTWAIT);
    room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return room;
}

/// With io_uring, where there is one, and without.
class IoBatchTest : public testing::TestWithParam<bool> {
  protected:
    IoBatchTest() { batch_.allow(GetParam()); }
    IoBatch batch_;
};

TEST_P(IoBatchTest, ReceivesForSeveralAtOnce) {
    std::array<Pair, 3> pairs;
    std::array<std::array<char, 8>, 3> rooms{};
    std::array<int, 3> results{};
    say(pairs[0].theirs, "one");
    say(pairs[2].theirs, "three");
    for (std::size_t i = 0; i < 3; ++i) {
        batch_.receive(pairs[i].ours.get(), rooms[i], results[i]);
    }
    batch_.run();
    EXPECT_EQ(results[0], 3);
    EXPECT_EQ(results[1], -EAGAIN) << "its socket waits for nobody, though it may block";
    EXPECT_EQ(results[2], 5);
    EXPECT_EQ(std::string_view(rooms[2].data(), 5), "three");
}

TEST_P(IoBatchTest, SendsInTheirOrder) {
    Pair pair;
    Pair other;
    std::array<int, 3> results{};
    batch_.send(pair.ours.get(), std::string_view("to "), results[0]);
    batch_.send(other.ours.get(), std::string_view("other"), results[1]);
    batch_.send(pair.ours.get(), std::string_view("one"), results[2]);
    batch_.run();
    EXPECT_EQ(results, (std::array{3, 5, 3}));
    EXPECT_EQ(hear(pair.theirs), "to one");
    EXPECT_EQ(hear(other.theirs), "other");
}

TEST_P(IoBatchTest, SaysOfEachWhatCameOfIt) {
    Pair ended;
    Pair closed;
    Pair full;
    ended.theirs.reset();
    closed.theirs.reset();
    const std::string much(1'000'000, 'x');
    while (::send(full.ours.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
    std::array<char, 8> room{};
    std::array<int, 4> results{};
    batch_.receive(ended.ours.get(), room, results[0]);
    batch_.send(closed.ours.get(), std::string_view("x"), results[1]);
    batch_.send(full.ours.get(), std::string_view("x"), results[2]);
    batch_.receive(-1, room, results[3]);
    batch_.run();
    EXPECT_EQ(results, (std::array{0, -EPIPE, -EAGAIN, -EBADF}));
}

TEST_P(IoBatchTest, TakesItsWholeCapacityAgainAndAgain) {
    Pair pair;
    std::vector<int> results(IoBatch::capacity);
    for (int round = 0; round < 5; ++round) {
        for (auto& result : results) {
            batch_.send(pair.ours.get(), std::string_view("x"), result);
        }
        batch_.run();
        EXPECT_EQ(results, std::vector<int>(IoBatch::capacity, 1));
        EXPECT_EQ(hear(pair.theirs), std::string(IoBatch::capacity, 'x'));
    }
}

TEST_P(IoBatchTest, OneAloneAndNoneAreNothingSpecial) {
    Pair pair;
    batch_.run();
    int result = 0;
    batch_.send(pair.ours.get(), std::string_view("alone"), result);
    batch_.run();
    EXPECT_EQ(result, 5);
    EXPECT_EQ(hear(pair.theirs), "alone");
}

TEST_P(IoBatchTest, IsJoinedOnlyWhereItMayBe) {
    if (!GetParam()) {
        EXPECT_FALSE(batch_.is_joined());
    }
    batch_.is_joined();
    batch_.allow(false);
    EXPECT_FALSE(batch_.is_joined());
}

INSTANTIATE_TEST_SUITE_P(All, IoBatchTest, testing::Bool(),
                         [](const auto& param) { return param.param ? "WithIoUring" : "Without"; });

}  // namespace
}  // namespace routerd
