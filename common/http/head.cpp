#include "common/http/head.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "common/base/byte_block.hpp"
#include "common/base/text.hpp"
#include "common/http/hex.hpp"
#include "common/http/token.hpp"

namespace routerd::http {
namespace {

using State = ParseResult::State;

/// Finds the ends of lines, block by block from the first one on.
class LineEnds {
  public:
    static constexpr std::size_t block = 64;  ///< bytes, a bit for each

    struct Found {
        std::uint64_t line_feeds;
        std::uint64_t empty_line;  ///< of these line feeds, the first that ends an empty line
    };

    /// In the block at `at`. nullopt: a carriage return or a line feed stands alone, and not behind
    /// an empty line.
    std::optional<Found> in(std::string_view bytes, std::size_t at) noexcept {
        std::array<char, block> last{};
        const char* from = bytes.data() + at;
        const bool is_last = bytes.size() - at < block;
        if (is_last) {
            std::memcpy(last.data(), from, bytes.size() - at);
            from = last.data();
        }
        std::uint64_t returns = 0;
        std::uint64_t feeds = 0;
        for (std::size_t i = 0; i < block; i += ByteBlock::size) {
            const ByteBlock part(from + i);
            returns |= std::uint64_t{part.equal('\r')} << i;
            feeds |= std::uint64_t{part.equal('\n')} << i;
        }
        const auto wanted = returns << 1U | std::exchange(return_before_, returns >> (block - 1));
        const auto empty =
            feeds & (feeds << 2U | std::exchange(feeds_before_, feeds >> (block - 2)));
        const auto first_empty = empty & (~empty + 1);
        const auto of_head = first_empty | (first_empty - 1);  // all, where there is none
        return ((feeds ^ wanted) & of_head) == 0 ? std::optional(Found{feeds, first_empty})
                                                 : std::nullopt;
    }

  private:
    std::uint64_t return_before_ = 0;  // 1: the block before ended in one
    std::uint64_t feeds_before_ = 0;   // of its last two bytes, a bit each
};

/// The next line without its CRLF; the scanner has made sure that it ends so.
std::string_view take_line(std::string_view& rest) noexcept {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

std::optional<std::string_view> find_field(const std::vector<Field>& fields,
                                           std::string_view name) noexcept {
    for (const auto& field : fields) {
        if (iequals(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> find_field(const std::vector<Field>& fields, Name name) noexcept {
    for (const auto& field : fields) {
        if (field.known == name) {
            return field.value;
        }
    }
    return std::nullopt;
}

/// RFC 9112 2.3: exactly HTTP/1.0 or HTTP/1.1; another major version is 505.
ParseResult parse_version(std::string_view text, unsigned& minor) noexcept {
    if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7])) {
        return bad(400, "invalid HTTP version");
    }
    if (text[5] != '1' || text[7] > '1') {
        return bad(505, "HTTP version not supported");
    }
    minor = static_cast<unsigned>(text[7] - '0');
    return good(0);
}

bool is_target(std::string_view text) noexcept {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || byte == '#') {
            return false;
        }
    }
    return !text.empty();
}

bool is_port(std::string_view text) noexcept {
    return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

/// RFC 3986 3.2.2, without user information and not empty: a name, an IPv4 address or [v6], and a
/// port.
bool is_host(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos || close < 3) {
            return false;
        }
        const auto address = text.substr(1, close - 1);
        const bool hex = std::all_of(address.begin(), address.end(), [](char c) {
            return hex_value(c) >= 0 || c == ':' || c == '.';
        });
        const auto port = text.substr(close + 1);
        return hex && (port.empty() || (port.front() == ':' && is_port(port.substr(1))));
    }
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    const auto port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    const bool name_ok = std::all_of(name.begin(), name.end(), [](char c) {
        return is_token_char(c) && c != '^' && c != '`' && c != '|' && c != '#' && c != '%';
    });
    return name_ok && !name.empty() && is_port(port);
}

/// Splits the target into path and query; an absolute one gives the host too (RFC 9112 3.2).
ParseResult split_target(RequestHead& head) noexcept {
    auto target = head.target;
    std::string_view no_path;
    head.host = {};
    if (target == "*") {
        if (head.method != "OPTIONS") {
            return bad(400, "target '*' is for OPTIONS alone");
        }
    } else if (!target.starts_with('/')) {
        constexpr std::string_view separator = "://";
        const auto at = target.find(separator);
        const auto scheme = target.substr(0, at);
        const bool is_known = iequals(scheme, "http") || iequals(scheme, "https");
        if (at == std::string_view::npos || !is_known) {
            return bad(400, "invalid request target");
        }
        target.remove_prefix(at + separator.size());
        head.host = target.substr(0, target.find_first_of("/?"));
        target.remove_prefix(head.host.size());
        if (head.host.empty() || !is_host(head.host)) {
            return bad(400, "invalid host in the request target");
        }
        if (!target.starts_with('/')) {  // RFC 9110 4.2.3: "/" is meant, of which there are two
            no_path = head.target.substr(at + separator.size() - 1, 1);
        }
    }
    const auto question = target.find('?');
    head.path = no_path.empty() ? target.substr(0, question) : no_path;
    head.query =
        question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
    return good(0);
}

ParseResult parse_request_line(std::string_view line, const HeadLimits& limits,
                               RequestHead& head) noexcept {
    if (line.size() > limits.line) {
        return bad(414, "request line too long");
    }
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return bad(400, "invalid request line");
    }
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    if (!is_token(head.method)) {
        return bad(400, "invalid method");
    }
    if (!is_target(head.target)) {
        return bad(400, "invalid request target");
    }
    const auto version = parse_version(line.substr(last + 1), head.minor_version);
    return version.state == State::bad ? version : split_target(head);
}

ParseResult parse_status_line(std::string_view line, ResponseHead& head) noexcept {
    const auto version = parse_version(line.substr(0, 8), head.minor_version);
    if (version.state == State::bad) {
        return version;
    }
    const bool has_code = line.size() >= 12 && line[8] == ' ' && line[9] >= '1' && line[9] <= '9' &&
                          is_digit(line[10]) && is_digit(line[11]) &&
                          (line.size() == 12 || line[12] == ' ');
    if (!has_code || !is_field_value(line)) {
        return bad(502, "invalid status line");
    }
    head.status =
        static_cast<unsigned>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
    head.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
    return good(0);
}

ParseResult check_request(RequestHead& head, const Framing& framing) noexcept {
    if (!framing.fault.empty()) {
        return bad(framing.fault_status, framing.fault);
    }
    if (framing.chunked && framing.length) {
        return bad(400, "both Content-Length and Transfer-Encoding");
    }
    if (framing.chunked && head.minor_version == 0) {
        return bad(400, "Transfer-Encoding in HTTP/1.0");
    }
    if (framing.hosts > 1 || (framing.hosts == 0 && head.minor_version == 1)) {
        return bad(400, "exactly one Host header is required");
    }
    if (framing.hosts == 1 && !is_host(framing.host)) {
        return bad(400, "invalid Host header");
    }
    if (head.host.empty()) {
        head.host = framing.host;
    }
    head.content_length = framing.length.value_or(0);
    head.body = framing.chunked           ? BodyKind::chunked
                : head.content_length > 0 ? BodyKind::length
                                          : BodyKind::none;
    head.keep_alive = !framing.close && (head.minor_version == 1 || framing.keep_alive);
    head.expects_continue = framing.expects_continue && head.minor_version == 1;
    return good(0);
}

}  // namespace

std::optional<std::string_view> RequestHead::find(std::string_view name) const noexcept {
    return find_field(fields, name);
}

std::optional<std::string_view> RequestHead::find(Name name) const noexcept {
    return find_field(fields, name);
}

std::optional<std::string_view> ResponseHead::find(std::string_view name) const noexcept {
    return find_field(fields, name);
}

std::optional<std::string_view> ResponseHead::find(Name name) const noexcept {
    return find_field(fields, name);
}

ParseResult HeadScanner::judge(std::string_view bytes, const HeadLimits& limits) const noexcept {
    const auto cr = bytes.find('\r', scanned_);
    const bool is_bare = cr != std::string_view::npos && cr + 1 < bytes.size();
    const auto size = is_bare ? cr + 1 : bytes.size();
    const std::size_t line_end = cr == std::string_view::npos ? 0 : 1;
    if (first_line_ == 0 && size > limits.line + line_end) {
        return bad(414, "request line too long");
    }
    if (size > limits.head) {
        return bad(431, "head too large");
    }
    return is_bare ? bad(400, "carriage return inside a line") : ParseResult{};
}

std::size_t HeadScanner::scan_blocks(std::string_view bytes, const HeadLimits& limits) noexcept {
    LineEnds ends;
    std::size_t first_line = 0;
    for (std::size_t at = 0; at < bytes.size(); at += LineEnds::block) {
        const auto found = ends.in(bytes, at);
        if (!found) {
            return 0;
        }
        if (first_line == 0 && found->line_feeds != 0) {
            first_line = at + static_cast<std::size_t>(std::countr_zero(found->line_feeds)) - 1;
        }
        if (found->empty_line != 0) {
            const auto length =
                at + static_cast<std::size_t>(std::countr_zero(found->empty_line)) + 1;
            const bool is_small = first_line <= limits.line && length <= limits.head;
            first_line_ = is_small ? first_line : 0;
            return is_small ? length : 0;
        }
    }
    return 0;
}

ParseResult HeadScanner::scan(std::string_view bytes, const HeadLimits& limits) noexcept {
    if (!bytes.empty() && !is_token_char(bytes.front())) {
        return bytes.front() == '\r' || bytes.front() == '\n' ? bad(400, "empty first line")
                                                              : bad(400, "this is not HTTP");
    }
    if (scanned_ == 0) {
        const auto length = scan_blocks(bytes, limits);
        if (length > 0) {
            scanned_ = length;
            return good(length);
        }
    }
    while (scanned_ < bytes.size()) {
        const auto found = bytes.find('\n', scanned_);
        const auto before = judge(bytes.substr(0, found), limits);
        if (before.state == State::bad) {
            return before;
        }
        if (found == std::string_view::npos) {
            // A last CR is looked at again with the byte that follows it.
            scanned_ = bytes.back() == '\r' ? bytes.size() - 1 : bytes.size();
            return {};
        }
        const auto line = end_line(bytes, found, limits);
        if (line.state != State::incomplete) {
            return line;
        }
    }
    return bytes.size() > limits.head ? bad(431, "head too large") : ParseResult{};
}

ParseResult HeadScanner::end_line(std::string_view bytes, std::size_t line_feed,
                                  const HeadLimits& limits) noexcept {
    if (line_feed == 0 || bytes[line_feed - 1] != '\r') {
        return bad(400, "line that ends in a bare line feed");
    }
    scanned_ = line_feed + 1;
    const auto length = line_feed - 1 - line_start_;
    if (length == 0) {
        return scanned_ > limits.head ? bad(431, "head too large") : good(scanned_);
    }
    first_line_ = first_line_ == 0 ? length : first_line_;
    line_start_ = scanned_;
    return {};
}

ParseResult check_request_line(std::string_view line, const HeadLimits& limits) noexcept {
    RequestHead head;
    const auto result = parse_request_line(line, limits, head);
    return result.state == State::bad ? result : ParseResult{};
}

ParseResult parse_request_head(std::string_view bytes, const HeadLimits& limits,
                               RequestHead& head) {
    auto rest = bytes;
    const auto line = parse_request_line(take_line(rest), limits, head);
    if (line.state == State::bad) {
        return line;
    }
    Framing framing;
    const auto fields = parse_fields(rest, limits, head.fields, framing);
    if (fields.state == State::bad) {
        return fields;
    }
    const auto checked = check_request(head, framing);
    return checked.state == State::bad ? checked : good(bytes.size() - rest.size());
}

ParseResult parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                bool to_head_request, ResponseHead& head) {
    auto rest = bytes;
    const auto line = parse_status_line(take_line(rest), head);
    if (line.state == State::bad) {
        return line;
    }
    Framing framing;
    const auto fields = parse_fields(rest, limits, head.fields, framing);
    if (fields.state == State::bad) {
        return fields;
    }
    if (!framing.fault.empty()) {
        return bad(502, framing.fault);
    }
    if (framing.chunked && (framing.length || head.minor_version == 0)) {
        return bad(502, "contradictory framing");
    }
    head.content_length = framing.length.value_or(0);
    const bool bodiless =
        to_head_request || head.status < 200 || head.status == 204 || head.status == 304;
    head.body = bodiless              ? BodyKind::none
                : framing.chunked     ? BodyKind::chunked
                : !framing.length     ? BodyKind::until_close
                : *framing.length > 0 ? BodyKind::length
                                      : BodyKind::none;
    head.keep_alive = !framing.close && head.body != BodyKind::until_close &&
                      (head.minor_version == 1 || framing.keep_alive);
    return good(bytes.size() - rest.size());
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        const bool has_two = i + 2 < text.size();
        const int high = has_two ? hex_value(text[i + 1]) : -1;
        const int low = has_two ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0 || high * 16 + low == 0) {
            return std::nullopt;
        }
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return result;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
    for (const auto pair : split(query, '&')) {
        const auto equals = pair.find('=');
        const auto key = percent_decode(pair.substr(0, equals));
        if (key && *key == name) {
            std::string value(equals == std::string_view::npos ? std::string_view{}
                                                               : pair.substr(equals + 1));
            std::replace(value.begin(), value.end(), '+', ' ');
            return percent_decode(value);
        }
    }
    return std::nullopt;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
            c == '.' || c == '_' || c == '~') {
            result += c;
        } else {
            result += '%';
            result += digits[byte >> 4U];
            result += digits[byte & 0xFU];
        }
    }
    return result;
}

}  // namespace routerd::http
