#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd::http {

/// Who answers at a URL. Two URLs of one origin may see the same token.
struct Origin {
    std::string scheme;       ///< "https" or "http"
    std::string host;         ///< lower-case name, dotted IPv4 address, or IPv6 address without []
    std::uint16_t port = 0;   ///< never 0 in what parse_url() gives
    bool is_address = false;  ///< `host` is an address, not a name

    bool operator==(const Origin&) const = default;
};

/// An absolute URL in its one spelling: no user, no fragment.
struct Url {
    Origin origin;
    std::string target;  ///< path and query, as a request line has them; begins with '/'

    /// As people read it in a message: without the query, where signed URLs carry secrets.
    std::string shown() const;
    /// Whole, as parse_url() reads it back.
    std::string text() const;
};

/// "https://host:8443", "http://[::1]:8080": without the port where it is the scheme's own.
std::string to_string(const Origin& origin);

/// As the Host field of a request has it: without the port where it is the scheme's own.
std::string host_field(const Origin& origin);

bool same_origin(const Url& a, const Url& b) noexcept;

/// Strict, so that no two programs read it in different ways: http or https alone, no user or
/// password, a host name, a dotted IPv4 address or an IPv6 address in brackets (no 127.1, 0x7f.1,
/// 2130706433, no name with a dot at its end), at most 8 KiB of printable ASCII without spaces and
/// backslashes. A fragment is dropped. Errors: invalid_request, never quoting a query or a user.
Result<Url> parse_url(std::string_view text);

/// Where a redirect from `base` leads: an absolute URL or one relative to `base` (RFC 3986 5.2).
/// Errors: forbidden.
Result<Url> resolve_location(const Url& base, std::string_view location);

}  // namespace routerd::http
