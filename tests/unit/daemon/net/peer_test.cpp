#include "daemon/net/peer.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

TEST(PeerTest, KnowsWhoConnected) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const UniqueFd one(ends[0]);
    const UniqueFd other(ends[1]);
    const auto peer = peer_of(one.get());
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_EQ(peer->user, ::geteuid());
    EXPECT_EQ(peer->groups.front(), ::getegid());
    EXPECT_EQ(peer->process, ::getpid());
    std::array<gid_t, 1024> groups{};
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    ASSERT_GE(count, 0);
    for (int i = 0; i < count; ++i) {
        EXPECT_NE(std::ranges::find(peer->groups, groups.at(static_cast<std::size_t>(i))),
                  peer->groups.end());
    }
}

TEST(PeerTest, SaysWhyItDoesNotKnow) {
    const auto peer = peer_of(-1);
    ASSERT_FALSE(peer);
    EXPECT_EQ(peer.error().code(), Errc::unavailable);
}

TEST(PeerTest, TrustsRootTheOwnerAndTheGroup) {
    constexpr uid_t owner = 990;
    constexpr gid_t group = 991;
    EXPECT_TRUE(is_trusted({0, {0}, 1}, owner, group));
    EXPECT_TRUE(is_trusted({owner, {5}, 1}, owner, group));
    EXPECT_TRUE(is_trusted({1000, {group}, 1}, owner, group));
    EXPECT_TRUE(is_trusted({1000, {1000, 27, group}, 1}, owner, group));
    EXPECT_FALSE(is_trusted({1000, {1000, 27}, 1}, owner, group));
    EXPECT_FALSE(is_trusted({group, {owner}, 1}, owner, group)) << "users and groups are not one";
}

}  // namespace
}  // namespace routerd
