#include "daemon/succession/arrivals.hpp"

#include <array>
#include <string>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/net/tls_session.hpp"
#include "tests/support/socket_pair.hpp"

namespace routerd::succession {
namespace {

TEST(ArrivalsTest, PassAConnectionWithWhatHasCome) {
    Arrival arrival;
    UniqueFd client;
    std::tie(arrival.socket, client) = test::socket_pair();
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
