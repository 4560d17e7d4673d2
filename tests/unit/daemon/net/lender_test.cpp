#include "daemon/net/lender.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <string>
#include <tuple>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/net/page_block.hpp"
#include "daemon/net/pieces.hpp"
#include "daemon/net/stream.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd {
namespace {

class LenderTest : public testing::Test {
  protected:
    LenderTest() {
        std::tie(socket, peer) = test::socket_pair();
        std::iota(block.data(), block.data() + size, '\0');
    }

    std::string text() const { return {block.data(), size}; }

    /// What the peer reads now.
    std::string read() const {
        std::string all;
        std::array<char, 50'000> room{};
        for (ssize_t got = 0; (got = ::recv(peer.get(), room.data(), room.size(), 0)) > 0;) {
            all.append(room.data(), static_cast<std::size_t>(got));
        }
        return all;
    }

    /// Sends all, while the peer reads when nothing more goes.
    std::string pass(std::string_view head, std::string_view body) {
        std::array pieces{asio::const_buffer(asio::buffer(head)),
                          asio::const_buffer(asio::buffer(body))};
        auto left = std::span<asio::const_buffer>(pieces).subspan(head.empty() ? 1 : 0);
        std::string all;
        while (!left.empty()) {
            const auto sent = lender.send(socket.get(), left);
            if (sent < 0) {
                EXPECT_EQ(errno, EAGAIN);
                const auto part = read();
                EXPECT_FALSE(part.empty()) << "it takes nothing";
                all += part;
                if (part.empty()) {
                    break;
                }
            }
            advance(left, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
        }
        return all + read();
    }

    static constexpr std::size_t size = 1'500'000;
    PageBlock block{size};
    Lender lender;
    UniqueFd socket;
    UniqueFd peer;
};

TEST_F(LenderTest, AllArrivesInItsOrderHoweverLittleTheSocketTakes) {
    const std::string head = "a head that is copied";
    for (const int room : {4096, 50'000, 1 << 20}) {
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        EXPECT_TRUE(pass(head, {block.data(), size}) == head + text()) << room;
        EXPECT_TRUE(pass(head, {block.data() + 77, 20'001}) == head + text().substr(77, 20'001));
    }
}

TEST_F(LenderTest, WhatIsLargeIsReadWhereItIs) {
    const std::array<asio::const_buffer, 1> pieces{asio::buffer(block.data(), 40'000)};
    ASSERT_EQ(lender.send(socket.get(), pieces), 40'000);
    block.data()[0] = 'x';
    EXPECT_EQ(read().front(), 'x') << "it was copied, at the price of that";
}

TEST_F(LenderTest, WhatIsUnmappedIsReadAllTheSame) {
    const auto before = text().substr(0, 40'000);
    const std::array<asio::const_buffer, 1> pieces{asio::buffer(block.data(), 40'000)};
    ASSERT_EQ(lender.send(socket.get(), pieces), 40'000);
    block = PageBlock();
    EXPECT_TRUE(read() == before);
}

TEST_F(LenderTest, APeerThatIsGoneIsAnErrorAndNoSignal) {
    peer.reset();
    const std::array<asio::const_buffer, 1> pieces{asio::buffer(block.data(), 40'000)};
    EXPECT_EQ(lender.send(socket.get(), pieces), -1);
    EXPECT_EQ(errno, EPIPE);
}

TEST_F(LenderTest, WithoutADescriptorToSpareItCopies) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const UniqueFd next(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    const rlimit none{static_cast<rlim_t>(next.get()), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto got = pass("head", {block.data(), size});
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(got == "head" + text());
}

TEST_F(LenderTest, OneSocketsLeftoversAreNotAnothers) {
    const std::array<asio::const_buffer, 1> pieces{asio::buffer(block.data(), size)};
    while (lender.send(socket.get(), pieces) > 0) {
    }
    read();
    EXPECT_TRUE(pass("", {block.data() + 99, 30'000}) == text().substr(99, 30'000));
}

}  // namespace
}  // namespace routerd
