#include "daemon/transfer/origin_policy.hpp"

#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "daemon/transfer/address_ranges.hpp"

namespace routerd::transfer {
namespace {

OriginPolicy policy(const std::vector<std::string>& allow = {}) {
    return OriginPolicy::make(allow).value();
}

/// Whether anything at all would be asked at `text`.
bool goes(const OriginPolicy& policy, std::string_view text) {
    const auto url = http::parse_url(text);
    return url && policy.check(*url);
}

sockaddr_storage address_of(const std::string& text) {
    sockaddr_storage storage{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&storage, &v4, sizeof(v4));
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        std::memcpy(&storage, &v6, sizeof(v6));
    }
    return storage;
}

const sockaddr& as_sockaddr(const sockaddr_storage& storage) {
    return reinterpret_cast<const sockaddr&>(storage);
}

std::string_view why(const std::string& address) {
    const auto storage = address_of(address);
    return why_not_public(as_sockaddr(storage));
}

class RefusedUrlTest : public testing::TestWithParam<const char*> {};

TEST_P(RefusedUrlTest, IsNotAskedEvenWhenItWasTyped) {
    EXPECT_FALSE(goes(policy(), GetParam()));
    const auto url = http::parse_url(GetParam());
    EXPECT_FALSE(url && policy().for_typed(*url, false).check(*url)) << "typed";
}

INSTANTIATE_TEST_SUITE_P(
    Ssrf, RefusedUrlTest,
    testing::Values(
        "http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/",
        "https://169.254.170.2/v2/credentials", "http://[::ffff:a9fe:a9fe]/",
        "https://[::ffff:a9fe:a9fe]/", "https://[::ffff:169.254.169.254]/", "http://2852039166/",
        "https://2852039166/", "https://0xa9fea9fe/", "https://0xA9FEA9FE/",
        "https://025177524776/", "https://0251.0376.0251.0376/", "https://0xa9.0xfe.0xa9.0xfe/",
        "http://0x7f.1/", "https://0x7f.1/", "https://127.1/", "https://127.0.1/",
        "https://0177.0.0.1/", "https://127.0.0.1/", "https://127.8.8.8/", "https://[::1]/",
        "https://[::]/", "https://0.0.0.0/", "https://0/", "http://localhost./",
        "https://localhost./", "http://localhost/", "https://10.0.0.1/", "https://172.16.0.1/",
        "https://172.31.255.255/", "https://192.168.1.1/", "https://100.64.0.1/",
        "https://198.18.0.1/", "https://192.0.0.192/", "https://203.0.113.9/", "https://224.0.0.1/",
        "https://240.0.0.1/", "https://255.255.255.255/", "https://[fd00:ec2::254]/",
        "https://[fe80::1]/", "https://[ff02::1]/", "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/", "https://[2001:0:a9fe:a9fe::]/", "https://[2001:db8::1]/",
        "https://[::127.0.0.1]/", "https://[fec0::1]/", "https://[100::1]/",
        "https://huggingface.co@10.0.0.1/", "https://10.0.0.1#@huggingface.co/",
        "https://10.0.0.1\\@huggingface.co/", "https://huggingface.co:22/",
        "https://huggingface.co:8443/", "http://huggingface.co/", "ftp://huggingface.co/",
        "gopher://huggingface.co/", "file:///etc/passwd", "unix:///run/docker.sock",
        "https://hugging\tface.co/", "https://%31%32%37.0.0.1/", "https://127.0.0.1.:443/",
        "https://１２７.0.0.1/", "https://[fe80::1%25eth0]/"));

TEST(OriginPolicyTest, KnowsTheHubAndOllamasRegistry) {
    for (const auto* url :
         {"https://huggingface.co/a/b", "https://hf.co/a", "https://cdn-lfs-us-1.huggingface.co/x",
          "https://cas-bridge.xethub.hf.co/x", "https://registry.ollama.ai/v2/",
          "https://HUGGINGFACE.co:443/", "https://dd20.r2.cloudflarestorage.com/x?sig=1"}) {
        EXPECT_TRUE(goes(policy(), url)) << url;
    }
    for (const auto* url : {"https://example.com/", "https://nothuggingface.co/",
                            "https://huggingface.co.evil.example/",
                            "https://r2.cloudflarestorage.com/", "https://.hf.co/"}) {
        EXPECT_FALSE(goes(policy(), url)) << url;
    }
}

TEST(OriginPolicyTest, LetsTheHostOfATypedUrlBeAskedForThatPullAlone) {
    const auto base = policy();
    const auto url = http::parse_url("https://example.com/x.gguf");
    const auto typed = base.for_typed(*url, false);
    EXPECT_TRUE(goes(typed, "https://example.com/y"));
    EXPECT_FALSE(goes(typed, "https://www.example.com/y"));
    EXPECT_FALSE(goes(typed, "https://example.com:8443/y"));
    EXPECT_FALSE(goes(typed, "http://example.com/y"));
    EXPECT_FALSE(goes(base, "https://example.com/y"));
    EXPECT_FALSE(typed.check_address(as_sockaddr(address_of("10.0.0.1")), *url));
    EXPECT_TRUE(typed.check_address(as_sockaddr(address_of("93.184.216.34")), *url));
}

TEST(OriginPolicyTest, TrustsTheVeryOriginOfAnInsecureUrl) {
    const auto url = http::parse_url("http://127.0.0.1:9000/x.gguf");
    const auto typed = policy().for_typed(*url, true);
    EXPECT_TRUE(goes(typed, "http://127.0.0.1:9000/y"));
    EXPECT_TRUE(typed.check_address(as_sockaddr(address_of("127.0.0.1")), *url));
    EXPECT_FALSE(goes(typed, "http://127.0.0.1:9001/y"));
    EXPECT_FALSE(goes(typed, "https://127.0.0.1:9000/y"));
    EXPECT_FALSE(goes(typed, "http://169.254.169.254/"));
    const auto hub = http::parse_url("https://huggingface.co/");
    EXPECT_FALSE(typed.check_address(as_sockaddr(address_of("127.0.0.1")), *hub));
}

TEST(OriginPolicyTest, AllowsWhatTheConfigurationAdds) {
    const auto more = policy(
        {"mirror.example", "*.corp.example", "http://10.0.0.5:8000", "https://big.example:8443/"});
    EXPECT_TRUE(goes(more, "https://mirror.example/"));
    EXPECT_TRUE(goes(more, "https://a.b.corp.example/"));
    EXPECT_FALSE(goes(more, "https://corp.example/"));
    EXPECT_FALSE(goes(more, "http://mirror.example/"));
    EXPECT_TRUE(goes(more, "http://10.0.0.5:8000/x"));
    EXPECT_FALSE(goes(more, "http://10.0.0.5/x"));
    EXPECT_TRUE(goes(more, "https://big.example:8443/x"));
    EXPECT_FALSE(goes(more, "https://big.example/x"));
    EXPECT_TRUE(goes(more, "https://huggingface.co/"));
}

TEST(OriginPolicyTest, RefusesEntriesThatSayNothingClear) {
    for (const auto* entry :
         {"", "*", "*.", "*.*.x", "a b", "host:8443", "host/path", "http://h/path", "ftp://h",
          "http://user@h", "*.10.0.0.1", "127.1", "host.", "h?x"}) {
        EXPECT_FALSE(OriginPolicy::make({entry})) << entry;
    }
}

TEST(OriginPolicyTest, SaysWhichSettingWouldAllowIt) {
    const auto url = http::parse_url("http://10.0.0.5:8000/x?sig=hunter2");
    const auto refused = policy().check(*url);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::forbidden);
    EXPECT_EQ(refused.error().message(),
              "'http://10.0.0.5:8000/x' is not fetched: it is not https");
    EXPECT_EQ(refused.error().hint(),
              "if that is meant, add 'http://10.0.0.5:8000' to `[pull] allow`");
}

TEST(OriginPolicyTest, AddressesAreCheckedWhateverTheName) {
    const auto hub = http::parse_url("https://huggingface.co/");
    const auto rebound = policy().check_address(as_sockaddr(address_of("169.254.169.254")), *hub);
    ASSERT_FALSE(rebound);
    EXPECT_EQ(rebound.error().message(),
              "'https://huggingface.co/' is not fetched: its host is at a link-local address");
    EXPECT_TRUE(policy().check_address(as_sockaddr(address_of("3.165.160.12")), *hub));
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    EXPECT_FALSE(policy().check_address(as_sockaddr(other), *hub));
}

TEST(AddressRangesTest, KnowsThePublicOnesAndTheEdgesOfTheOthers) {
    for (const auto* address : {"1.1.1.1",         "8.8.8.8",
                                "9.255.255.255",   "11.0.0.0",
                                "100.63.255.255",  "100.128.0.0",
                                "126.255.255.255", "128.0.0.0",
                                "169.253.255.255", "169.255.0.0",
                                "172.15.255.255",  "172.32.0.0",
                                "192.0.1.0",       "192.167.255.255",
                                "192.169.0.0",     "198.17.255.255",
                                "198.20.0.0",      "223.255.255.255",
                                "2606:4700::1111", "2a00:1450::1",
                                "2001:200::1",     "2001:4860:4860::8888",
                                "2003::1",         "3ffe::1"}) {
        EXPECT_EQ(why(address), "") << address;
    }
    for (const auto* address : {"0.0.0.1",
                                "10.255.255.255",
                                "100.127.255.255",
                                "127.255.255.255",
                                "169.254.0.0",
                                "172.31.255.255",
                                "192.0.0.9",
                                "192.0.2.1",
                                "192.88.99.1",
                                "192.168.255.255",
                                "198.19.255.255",
                                "198.51.100.1",
                                "203.0.113.1",
                                "239.255.255.255",
                                "254.1.1.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "::2",
                                "::ffff:8.8.8.8",
                                "64:ff9b::808:808",
                                "64:ff9b:1::1",
                                "100::1",
                                "2001::1",
                                "2001:2::1",
                                "2001:10::1",
                                "2001:20::1",
                                "2001:1ff::1",
                                "2001:db8::1",
                                "2002:808:808::",
                                "3fff:fff::1",
                                "4000::1",
                                "5f00::1",
                                "fc00::1",
                                "fdff::1",
                                "fe80::1",
                                "febf::1",
                                "fec0::1",
                                "ff02::1"}) {
        EXPECT_NE(why(address), "") << address;
    }
    EXPECT_EQ(why("255.255.255.255"), "broadcast");
    EXPECT_EQ(why("::ffff:8.8.8.8"), "IPv4-mapped");
    EXPECT_EQ(why("2001::1"), "Teredo");
}

}  // namespace
}  // namespace routerd::transfer
