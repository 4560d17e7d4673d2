#include "daemon/auth/host_check.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(HostCheckTest, KnowsTheNamesOfThisMachine) {
    for (const auto* host : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.1:80", "[::1]",
                             "[::1]:8080", "x.localhost", ""}) {
        EXPECT_TRUE(is_local_host(host)) << host;
    }
    for (const auto* host : {"evil.example", "127.0.0.1.evil.example", "127.evil", "localhost.evil",
                             "10.0.0.1", "[::2]", "notlocalhost"}) {
        EXPECT_FALSE(is_local_host(host)) << host;
    }
}

TEST(HostCheckTest, TheSameOriginIsTheSameAddress) {
    const auto http = Scheme::http;
    const auto https = Scheme::https;
    EXPECT_TRUE(is_same_origin("http://localhost:8080", http, "localhost:8080"));
    EXPECT_TRUE(is_same_origin("HTTPS://localhost:8443", https, "localhost:8443"));
    EXPECT_FALSE(is_same_origin("https://localhost:8080", http, "localhost:8080"));
    EXPECT_FALSE(is_same_origin("http://localhost:8443", https, "localhost:8443"));
    EXPECT_FALSE(is_same_origin("http://localhost:8081", http, "localhost:8080"));
    EXPECT_FALSE(is_same_origin("null", http, "localhost:8080"));
}

}  // namespace
}  // namespace routerd
