#include "common/http/url.hpp"

#include <gtest/gtest.h>

namespace routerd::http {
namespace {

std::string read(std::string_view text) {
    const auto url = parse_url(text);
    return url ? url->text() : "refused";
}

TEST(UrlTest, ReadsWhatOriginsAre) {
    EXPECT_EQ(read("https://huggingface.co"), "https://huggingface.co/");
    EXPECT_EQ(read("HTTPS://HuggingFace.CO:443/A/b?c=%20d#e"), "https://huggingface.co/A/b?c=%20d");
    EXPECT_EQ(read("http://h:8080?x"), "http://h:8080/?x");
    EXPECT_EQ(read("http://h:80/"), "http://h/");
    EXPECT_EQ(read("https://8.8.8.8:8443/x"), "https://8.8.8.8:8443/x");
    EXPECT_EQ(read("https://[2001:DB8:0::1]:99/x"), "https://[2001:db8::1]:99/x");
    EXPECT_EQ(read("https://h/#"), "https://h/");
}

TEST(UrlTest, KnowsAnAddressFromAName) {
    EXPECT_TRUE(parse_url("https://8.8.8.8/")->origin.is_address);
    EXPECT_TRUE(parse_url("https://[::1]/")->origin.is_address);
    EXPECT_FALSE(parse_url("https://8.8.8.8.example/")->origin.is_address);
}

TEST(UrlTest, RefusesWhatCanBeReadInTwoWays) {
    for (const auto* text : {"",
                             "huggingface.co",
                             "https:/h/",
                             "https:///x",
                             "https://",
                             "ftp://h/",
                             "file:///etc/x",
                             "https://user@h/",
                             "https://user:pass@h/",
                             "https://good.example@10.0.0.1/",
                             "https://h:0/",
                             "https://h:65536/",
                             "https://h:/",
                             "https://h:4 43/",
                             "https://h:+443/",
                             "https://h:443:443/",
                             "https://h./",
                             "https://.h/",
                             "https://a..b/",
                             "https://-a.b/",
                             "https://a-.b/",
                             "https://a b/",
                             "https://a\tb/",
                             "https://a/b\r\nHost: x",
                             "https://a\\b/",
                             "https://h%2e/",
                             "https://%31/",
                             "https://[::1/",
                             "https://[::1]x/",
                             "https://[fe80::1%25lo]/",
                             "https://[1.2.3.4]/",
                             "https://::1/",
                             "https://1.2.3/",
                             "https://1.2.3.4.5/",
                             "https://256.1.1.1/",
                             "https://01.2.3.4/",
                             "https://a.0x1/",
                             "https://h\x7f/",
                             "https://hôte/"}) {
        EXPECT_EQ(read(text), "refused") << text;
    }
    EXPECT_EQ(read("https://" + std::string(64, 'a') + ".b/"), "refused");
    EXPECT_EQ(read("https://h/" + std::string(9000, 'a')), "refused");
    EXPECT_EQ(read("https://h/" + std::string(8182, 'a')).size(), 8192U);
    EXPECT_EQ(read("https://h?" + std::string(8182, 'a')), "refused");  // 8193 bytes as text()
}

TEST(UrlTest, QuotesNoSecret) {
    const auto user = parse_url("https://someone:hunter2@h/x?token=hunter3");
    EXPECT_EQ(user.error().message().find("hunter"), std::string::npos);
    const auto late = parse_url("someone:hunter2@http://h/");
    EXPECT_EQ(late.error().message().find("hunter"), std::string::npos);
    const auto query = parse_url("https://h./x?token=hunter3");
    EXPECT_EQ(query.error().message().find("hunter"), std::string::npos);
    EXPECT_EQ(parse_url("https://h/x?sig=1")->shown(), "https://h/x");
}

struct Redirect {
    const char* location;
    const char* leads_to;
};

class RedirectTest : public testing::TestWithParam<Redirect> {};

TEST_P(RedirectTest, LeadsWhereItSays) {
    const auto base = parse_url("https://h:8443/a/b/c?q");
    const auto url = resolve_location(*base, GetParam().location);
    EXPECT_EQ(url ? url->text() : to_string(url.error().code()), GetParam().leads_to);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, RedirectTest,
    testing::Values(Redirect{"https://x/y", "https://x/y"}, Redirect{"http://x", "http://x/"},
                    Redirect{"//x/y", "https://x/y"}, Redirect{"/y?z#f", "https://h:8443/y?z"},
                    Redirect{"d", "https://h:8443/a/b/d"}, Redirect{"../d", "https://h:8443/a/d"},
                    Redirect{"../../../../d", "https://h:8443/d"},
                    Redirect{"./", "https://h:8443/a/b/"}, Redirect{"..", "https://h:8443/a/"},
                    Redirect{"?z", "https://h:8443/a/b/c?z"},
                    Redirect{"d?u=http://x", "https://h:8443/a/b/d?u=http://x"},
                    Redirect{"", "forbidden"}, Redirect{"#x", "forbidden"},
                    Redirect{"file:///etc/passwd", "forbidden"},
                    Redirect{"unix:/run/x.sock", "forbidden"}, Redirect{"data:,x", "forbidden"},
                    Redirect{"//user@x/", "forbidden"}, Redirect{"/a b", "forbidden"},
                    Redirect{"//127.1/", "forbidden"}, Redirect{"/\r\nX: y", "forbidden"}));

}  // namespace
}  // namespace routerd::http
