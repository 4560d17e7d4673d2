#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/fields.hpp"

namespace routerd::http {

/// How the end of a message's body is found (RFC 9112 6.3).
enum class BodyKind {
    none,
    length,       ///< content_length bytes
    chunked,      ///< chunked transfer coding
    until_close,  ///< responses only: all that comes
};

/// A parsed request head. Its views live as long as the bytes it was parsed from stay in place;
/// parse into the same object again to reuse its memory.
struct RequestHead {
    std::string_view method;
    std::string_view target;  ///< as sent
    std::string_view path;    ///< of the target, still percent-encoded, begins with '/' (or is "*")
    std::string_view query;   ///< of the target, without '?'
    std::string_view host;    ///< Host field, or the authority of an absolute target
    unsigned minor_version = 1;
    std::vector<Field> fields;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool keep_alive = true;
    bool expects_continue = false;

    /// Value of the first field of this name (any case), or nullopt.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::optional<std::string_view> find(Name name) const noexcept;
};

struct ResponseHead {
    unsigned status = 0;
    std::string_view reason;
    unsigned minor_version = 1;
    std::vector<Field> fields;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool keep_alive = true;

    std::optional<std::string_view> find(std::string_view name) const noexcept;
    std::optional<std::string_view> find(Name name) const noexcept;
};

/// Finds the end of a head in bytes that come in pieces, looking at each byte once. A line that
/// ends in a bare LF, or a head over its limit, is bad at once and not when a time-out says so.
class HeadScanner {
  public:
    /// `bytes` is everything received so far, from the head's first byte. `complete` gives the
    /// length.
    ParseResult scan(std::string_view bytes, const HeadLimits& limits) noexcept;
    void reset() noexcept { *this = HeadScanner{}; }

    /// Bytes of the first line without its end; 0 while that has not come.
    std::size_t first_line() const noexcept { return first_line_; }

  private:
    /// For most heads, of which no byte has been looked at yet and no line is odd: the length of
    /// the whole head. 0: it is not all there, or something in it is to be looked at line by line.
    std::size_t scan_blocks(std::string_view bytes, const HeadLimits& limits) noexcept;

    /// Judges the bytes from `scanned_` on, which have no line feed, as if they had come one by
    /// one: of two faults the first counts.
    ParseResult judge(std::string_view bytes, const HeadLimits& limits) const noexcept;

    /// Takes the line that ends there. `incomplete`: it is not the last one.
    ParseResult end_line(std::string_view bytes, std::size_t line_feed,
                         const HeadLimits& limits) noexcept;

    std::size_t scanned_ = 0;
    std::size_t line_start_ = 0;
    std::size_t first_line_ = 0;
};

/// Whether a request may begin with this line, so that what is no HTTP/1 is refused before its head
/// is whole. `incomplete` when it may.
ParseResult check_request_line(std::string_view line, const HeadLimits& limits) noexcept;

/// Parses a whole request head (as found by HeadScanner) by the letter of RFC 9112 and stricter:
/// any doubt about syntax or framing is refused, so that no other parser can read it differently.
/// Both Content-Length and Transfer-Encoding, a coding other than chunked, repeated lengths, folded
/// lines, space before a colon, a missing or second Host, control characters: all bad.
ParseResult parse_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head);

/// The same for a response; `to_head_request` says that it answers a HEAD and has no body.
ParseResult parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                bool to_head_request, ResponseHead& head);

/// Decodes %XX; nullopt for a bad escape or an encoded NUL. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);

/// Value of `name` in a query string, decoded ('+' is a space there); nullopt when absent or bad.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// Everything but unreserved characters as %XX (RFC 3986 2.3).
std::string percent_encode(std::string_view text);

}  // namespace routerd::http
