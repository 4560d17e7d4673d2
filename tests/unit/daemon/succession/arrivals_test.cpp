#include "daemon/succession/arrivals.hpp"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/tls_session.hpp"

namespace routerd::succession {
namespace {

TEST(ArrivalsTest, PassAConnectionWithWhatHasCome) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const UniqueFd client(ends[1]);
    Arrival arrival;
    arrival.socket = UniqueFd(ends[0]);
    arrival.is_control = true;
    arrival.input.assign(3U << 20U, 'x');  // far more than a packet takes
    arrival.input += '\0';
    const auto input = arrival.input;
    auto packet = to_packet(std::move(arrival));
    ASSERT_TRUE(packet);
    auto got = arrival_from(std::move(*packet));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->is_control);
    EXPECT_EQ(got->input, input);
    ASSERT_EQ(::write(got->socket.get(), "hi", 2), 2);
    std::array<char, 2> heard{};
    EXPECT_EQ(::read(client.get(), heard.data(), heard.size()), 2);
}

TEST(ArrivalsTest, RefuseOneWithoutASocket) {
    Packet packet;
    packet.body = {{"is", "arrival"}};
    EXPECT_FALSE(arrival_from(std::move(packet)));
}

}  // namespace
}  // namespace routerd::succession
