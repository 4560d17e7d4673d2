#include "daemon/transfer/address_ranges.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <netinet/in.h>

namespace routerd::transfer {
namespace {

struct V4Range {
    std::uint32_t base;
    unsigned prefix;
    std::string_view why;
};

// IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast.
constexpr std::array v4_ranges{
    V4Range{0x00000000, 8, "unspecified"},     // 0.0.0.0
    V4Range{0x0A000000, 8, "private"},         // 10.0.0.0
    V4Range{0x64400000, 10, "carrier-grade"},  // 100.64.0.0, RFC 6598
    V4Range{0x7F000000, 8, "loopback"},        // 127.0.0.0
    V4Range{0xA9FE0000, 16, "link-local"},     // 169.254.0.0
    V4Range{0xAC100000, 12, "private"},        // 172.16.0.0
    V4Range{0xC0000000, 24, "reserved"},       // 192.0.0.0
    V4Range{0xC0000200, 24, "documentation"},  // 192.0.2.0
    V4Range{0xC0586300, 24, "6to4"},           // 192.88.99.0
    V4Range{0xC0A80000, 16, "private"},        // 192.168.0.0
    V4Range{0xC6120000, 15, "benchmark"},      // 198.18.0.0
    V4Range{0xC6336400, 24, "documentation"},  // 198.51.100.0
    V4Range{0xCB007100, 24, "documentation"},  // 203.0.113.0
    V4Range{0xE0000000, 4, "multicast"},       // 224.0.0.0
    V4Range{0xFFFFFFFF, 32, "broadcast"},      // 255.255.255.255
    V4Range{0xF0000000, 4, "reserved"},        // 240.0.0.0
};

using V6Bytes = std::array<std::uint8_t, 16>;

struct V6Range {
    V6Bytes base;
    unsigned prefix;
    std::string_view why;
};

// The same for IPv6, of which 2000::/3 alone is given out.
constexpr std::array v6_ranges{
    V6Range{{}, 128, "unspecified"},                                             // ::
    V6Range{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},  // ::1
    V6Range{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96, "IPv4-mapped"},      // ::ffff:0:0
    V6Range{{}, 96, "IPv4-compatible"},                                          // ::a.b.c.d
    V6Range{{0x00, 0x64, 0xFF, 0x9B}, 32, "NAT64"},                              // 64:ff9b::
    V6Range{{0x20, 0x01, 0x00, 0x00}, 32, "Teredo"},                             // 2001::
    V6Range{{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48, "benchmark"},              // 2001:2::
    V6Range{{0x20, 0x01, 0x00}, 23, "reserved"},                                 // 2001::
    V6Range{{0x20, 0x01, 0x0D, 0xB8}, 32, "documentation"},                      // 2001:db8::
    V6Range{{0x20, 0x02}, 16, "6to4"},                                           // 2002::
    V6Range{{0x3F, 0xFF, 0x00}, 20, "documentation"},                            // 3fff::
    V6Range{{0xFC}, 7, "private"},                                               // fc00::
    V6Range{{0xFE, 0x80}, 10, "link-local"},                                     // fe80::
    V6Range{{0xFE, 0xC0}, 10, "site-local"},                                     // fec0::
    V6Range{{0xFF}, 8, "multicast"},                                             // ff00::
};

bool begins_with(const V6Bytes& address, const V6Bytes& base, unsigned prefix) noexcept {
    for (unsigned bit = 0; bit < prefix; bit += 8) {
        const auto kept = prefix - bit >= 8 ? 0xFFU : 0xFFU << (8 - (prefix - bit)) & 0xFFU;
        if (((address.at(bit / 8) ^ base.at(bit / 8)) & kept) != 0) {
            return false;
        }
    }
    return true;
}

std::string_view judge(std::uint32_t address) noexcept {
    for (const auto& range : v4_ranges) {
        if ((address ^ range.base) >> (32 - range.prefix) == 0) {
            return range.why;
        }
    }
    return {};
}

std::string_view judge(const V6Bytes& address) noexcept {
    for (const auto& range : v6_ranges) {
        if (begins_with(address, range.base, range.prefix)) {
            return range.why;
        }
    }
    constexpr V6Bytes given_out{0x20};
    return begins_with(address, given_out, 3) ? std::string_view() : "reserved";
}

}  // namespace

std::string_view why_not_public(const sockaddr& address) noexcept {
    // Copied: a sockaddr may be aligned less than what it stands for.
    const void* whole = &address;
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, whole, sizeof(v4));
        return judge(ntohl(v4.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, whole, sizeof(v6));
        V6Bytes bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return judge(bytes);
    }
    return "non-internet";
}

}  // namespace routerd::transfer
