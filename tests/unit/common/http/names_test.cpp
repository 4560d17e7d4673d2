#include "common/http/names.hpp"

#include <string>

#include <gtest/gtest.h>

namespace routerd::http {
namespace {

TEST(NamesTest, KnowsEachInAnyCaseAndNoneThatIsOnlyLike) {
    // In the order of Name, behind `other`.
    constexpr const char* const all[] = {"Accept-Encoding",
                                         "Alt-Svc",
                                         "Authorization",
                                         "Connection",
                                         "Content-Length",
                                         "Content-Type",
                                         "Cookie",
                                         "Date",
                                         "Expect",
                                         "Host",
                                         "Keep-Alive",
                                         "Origin",
                                         "Proxy-Authenticate",
                                         "Proxy-Authorization",
                                         "Proxy-Connection",
                                         "Retry-After",
                                         "Sec-Fetch-Site",
                                         "Server",
                                         "Set-Cookie",
                                         "Strict-Transport-Security",
                                         "TE",
                                         "Trailer",
                                         "Transfer-Encoding",
                                         "Upgrade",
                                         "Via",
                                         "X-Api-Key",
                                         "X-Request-Id",
                                         "X-Request-Priority",
                                         "X-Request-Timeout"};
    auto number = static_cast<unsigned>(Name::other);
    for (const std::string name : all) {
        ++number;
        EXPECT_EQ(static_cast<unsigned>(name_of(name)), number) << name;
        std::string large = name;
        for (auto& c : large) {
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
        EXPECT_EQ(name_of(large), name_of(name)) << name;
        EXPECT_EQ(name_of(name + "s"), Name::other) << name;
        EXPECT_EQ(name_of("z" + name.substr(1)), Name::other) << name;
    }
    EXPECT_EQ(number, static_cast<unsigned>(Name::x_request_timeout));
    EXPECT_EQ(name_of(""), Name::other);
}

TEST(NamesTest, ASetHasWhatItWasGiven) {
    constexpr NameSet some{Name::host, Name::x_request_timeout};
    EXPECT_TRUE(some.has(Name::host));
    EXPECT_TRUE(some.has(Name::x_request_timeout));
    EXPECT_FALSE(some.has(Name::other));
    EXPECT_FALSE(some.has(Name::via));
}

}  // namespace
}  // namespace routerd::http
