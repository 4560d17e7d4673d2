#include "common/http/names.hpp"

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace routerd::http {
namespace {

using Word = std::uint64_t;

/// The first bytes at `from`, the lowest first.
template <std::size_t count>
constexpr Word load(const char* from) noexcept {
    Word word = 0;
    if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
        std::memcpy(&word, from, count);  // one instruction, other than the loop
        return word;
    }
    for (std::size_t i = 0; i < count; ++i) {
        word |= Word{static_cast<unsigned char>(from[i])} << (8 * i);
    }
    return word;
}

/// Each byte that is A to Z in lower case, the others as they are.
constexpr Word in_lower_case(Word word) noexcept {
    constexpr Word each = 0x0101'0101'0101'0101;
    constexpr Word high = 0x80 * each;
    const auto low_bits = word & ~high;
    // The sums have a byte's highest bit where it is at least 'A', or more than 'Z'.
    const auto from_a = low_bits + (0x80 - 'A') * each;
    const auto behind_z = low_bits + (0x7F - 'Z') * each;
    const auto is_letter = (from_a ^ behind_z) & ~word & high;
    return word | (is_letter >> 2U);
}

/// A name of 2 to 25 bytes in lower case, in words that may overlap: two are the same when these
/// are, and their sizes.
struct Folded {
    constexpr explicit Folded(std::string_view name) noexcept {
        const auto* const begin = name.data();
        const auto size = name.size();
        if (size >= 8) {
            first = load<8>(begin);
            last = load<8>(begin + size - 8);
            middle = size > 16 ? load<8>(begin + 8) : 0;
            rest = size > 24 ? load<1>(begin + 16) : 0;
        } else if (size >= 4) {
            first = load<4>(begin) | load<4>(begin + size - 4) << 32U;
        } else {
            first = load<2>(begin) | load<1>(begin + size - 1) << 16U;
        }
        first = in_lower_case(first);
        last = in_lower_case(last);
        middle = in_lower_case(middle);
        rest = in_lower_case(rest);
    }

    constexpr bool operator==(const Folded&) const noexcept = default;

    Word first = 0;
    Word last = 0;
    Word middle = 0;
    Word rest = 0;
};

consteval Folded operator""_folded(const char* name, std::size_t size) {
    return Folded({name, size});
}

constexpr std::size_t shortest = 2;
constexpr std::size_t longest = 25;

}  // namespace

Name name_of(std::string_view text) noexcept {
    if (text.size() < shortest || text.size() > longest) {
        return Name::other;
    }
    const Folded name(text);
    switch (text.size()) {
        case 2:
            return name == "te"_folded ? Name::te : Name::other;
        case 3:
            return name == "via"_folded ? Name::via : Name::other;
        case 4:
            return name == "host"_folded   ? Name::host
                   : name == "date"_folded ? Name::date
                                           : Name::other;
        case 6:
            return name == "cookie"_folded   ? Name::cookie
                   : name == "expect"_folded ? Name::expect
                   : name == "origin"_folded ? Name::origin
                   : name == "server"_folded ? Name::server
                                             : Name::other;
        case 7:
            return name == "trailer"_folded   ? Name::trailer
                   : name == "upgrade"_folded ? Name::upgrade
                   : name == "alt-svc"_folded ? Name::alt_svc
                                              : Name::other;
        case 9:
            return name == "x-api-key"_folded ? Name::x_api_key : Name::other;
        case 10:
            return name == "connection"_folded   ? Name::connection
                   : name == "keep-alive"_folded ? Name::keep_alive
                   : name == "set-cookie"_folded ? Name::set_cookie
                                                 : Name::other;
        case 11:
            return name == "retry-after"_folded ? Name::retry_after : Name::other;
        case 12:
            return name == "content-type"_folded   ? Name::content_type
                   : name == "x-request-id"_folded ? Name::x_request_id
                                                   : Name::other;
        case 13:
            return name == "authorization"_folded ? Name::authorization : Name::other;
        case 14:
            return name == "content-length"_folded   ? Name::content_length
                   : name == "sec-fetch-site"_folded ? Name::sec_fetch_site
                                                     : Name::other;
        case 15:
            return name == "accept-encoding"_folded ? Name::accept_encoding : Name::other;
        case 16:
            return name == "proxy-connection"_folded ? Name::proxy_connection : Name::other;
        case 17:
            return name == "transfer-encoding"_folded   ? Name::transfer_encoding
                   : name == "x-request-timeout"_folded ? Name::x_request_timeout
                                                        : Name::other;
        case 18:
            return name == "proxy-authenticate"_folded   ? Name::proxy_authenticate
                   : name == "x-request-priority"_folded ? Name::x_request_priority
                                                         : Name::other;
        case 19:
            return name == "proxy-authorization"_folded ? Name::proxy_authorization : Name::other;
        case 25:
            return name == "strict-transport-security"_folded ? Name::strict_transport_security
                                                              : Name::other;
        default:
            return Name::other;
    }
}

}  // namespace routerd::http
