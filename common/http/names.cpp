#include "common/http/names.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace routerd::http {
namespace {

using Word = std::uint64_t;

/// The first bytes at `from`, the lowest first.
template <std::size_t Count>
constexpr Word load(const char* from) noexcept {
    Word word = 0;
    if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
        std::memcpy(&word, from, Count);  // one instruction, other than the loop
        return word;
    }
    for (std::size_t i = 0; i < Count; ++i) {
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
            first = in_lower_case(load<8>(begin));
            last = in_lower_case(load<8>(begin + size - 8));
        } else if (size >= 4) {
            first = in_lower_case(load<4>(begin) | load<4>(begin + size - 4) << 32U);
        } else {
            first = in_lower_case(load<2>(begin) | load<1>(begin + size - 1) << 16U);
        }
        if (size > 16) {
            middle = in_lower_case(load<8>(begin + 8));
            rest = size > 24 ? in_lower_case(load<1>(begin + 16)) : 0;
        }
    }

    constexpr bool operator==(const Folded&) const noexcept = default;

    Word first = 0;
    Word last = 0;
    Word middle = 0;
    Word rest = 0;
};

struct Known {
    constexpr Known(std::string_view text, Name is) noexcept
        : name(text), size(text.size()), known(is) {}

    Folded name;
    std::size_t size;
    Name known;
};

/// The shortest first.
constexpr std::array all{
    Known("te", Name::te),
    Known("via", Name::via),
    Known("host", Name::host),
    Known("date", Name::date),
    Known("cookie", Name::cookie),
    Known("expect", Name::expect),
    Known("origin", Name::origin),
    Known("server", Name::server),
    Known("trailer", Name::trailer),
    Known("upgrade", Name::upgrade),
    Known("alt-svc", Name::alt_svc),
    Known("x-api-key", Name::x_api_key),
    Known("connection", Name::connection),
    Known("keep-alive", Name::keep_alive),
    Known("set-cookie", Name::set_cookie),
    Known("retry-after", Name::retry_after),
    Known("content-type", Name::content_type),
    Known("x-request-id", Name::x_request_id),
    Known("authorization", Name::authorization),
    Known("content-length", Name::content_length),
    Known("sec-fetch-site", Name::sec_fetch_site),
    Known("accept-encoding", Name::accept_encoding),
    Known("proxy-connection", Name::proxy_connection),
    Known("transfer-encoding", Name::transfer_encoding),
    Known("x-request-timeout", Name::x_request_timeout),
    Known("proxy-authenticate", Name::proxy_authenticate),
    Known("x-request-priority", Name::x_request_priority),
    Known("proxy-authorization", Name::proxy_authorization),
    Known("strict-transport-security", Name::strict_transport_security),
};

constexpr auto shortest = all.front().size;
constexpr auto longest = all.back().size;

/// Where in `all` those of each size begin; behind each its end.
constexpr auto begins = [] {
    std::array<std::uint8_t, longest + 2> places{};
    for (std::size_t size = 0; size < places.size(); ++size) {
        while (places[size] < all.size() && all[places[size]].size < size) {
            ++places[size];
        }
    }
    return places;
}();

}  // namespace

Name name_of(std::string_view text) noexcept {
    const auto size = text.size();
    if (size < shortest || size > longest || begins[size] == begins[size + 1]) {
        return Name::other;
    }
    const Folded name(text);
    for (std::size_t i = begins[size]; i < begins[size + 1]; ++i) {
        if (all[i].name == name) {
            return all[i].known;
        }
    }
    return Name::other;
}

}  // namespace routerd::http
