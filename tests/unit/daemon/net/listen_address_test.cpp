#include "daemon/net/listen_address.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(ListenAddressTest, ReadsWhatPeopleWrite) {
    EXPECT_EQ(parse_listen_address("127.0.0.1:8080")->text(), "127.0.0.1:8080");
    EXPECT_EQ(parse_listen_address("localhost:1")->text(), "127.0.0.1:1");
    EXPECT_EQ(parse_listen_address("[::1]:8080")->text(), "[::1]:8080");
    EXPECT_EQ(parse_listen_address(":80")->text(), "0.0.0.0:80");
    EXPECT_EQ(parse_listen_address("unix:///run/x.sock")->text(), "unix:///run/x.sock");
    EXPECT_EQ(parse_listen_address("http://127.0.0.1:80")->url(), "http://127.0.0.1:80");
    EXPECT_EQ(parse_listen_address("https://[::1]:443")->url(), "https://[::1]:443");
    EXPECT_EQ(parse_listen_address("unix:///run/x.sock")->url(), "unix:///run/x.sock");
    EXPECT_TRUE(parse_listen_address("127.0.0.1:0")->is_loopback());
    EXPECT_FALSE(parse_listen_address("0.0.0.0:0")->is_loopback());
    for (const auto* bad : {"", "8080", "a:b", "127.0.0.1:", "127.0.0.1:65536", "example.org:80",
                            "unix://relative", "https://unix:///x", "https://http://a:1"}) {
        EXPECT_FALSE(parse_listen_address(bad)) << bad;
    }
}

}  // namespace
}  // namespace routerd
