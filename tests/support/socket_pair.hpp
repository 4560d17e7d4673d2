#pragma once

#include <array>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "common/base/unique_fd.hpp"

namespace routerd::test {

/// The two ends of a connected Unix socket, of which neither waits; the test fails where there is
/// none to be had.
inline std::pair<UniqueFd, UniqueFd> socket_pair() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace routerd::test
