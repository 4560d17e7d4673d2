#include "daemon/net/peer.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

TEST(PeerTest, KnowsWhoConnected) {
    const auto [one, other] = test::socket_pair();
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
