#include "common/http/head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "common/base/text.hpp"
#include "common/http/hex.hpp"
#include "common/http/token.hpp"

namespace routerd::http {
namespace {

using State = ParseResult::State;

constexpr ParseResult bad(unsigned status, std::string_view reason) noexcept {
    return {.state = State::bad, .consumed = 0, .status = status, .reason = reason};
}

constexpr ParseResult good(std::size_t consumed) noexcept {
    return {.state = State::complete, .consumed = consumed, .status = 0, .reason = {}};
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

/// RFC 9110 5.5: visible characters, space, tab and obs-text.
bool is_field_value(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    });
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

/// The next line without its CRLF; the scanner has made sure that there is one.
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

/// What decides a message's framing and the connection's life, gathered in one pass.
struct Framing {
    std::optional<std::uint64_t> length;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
    unsigned hosts = 0;
    std::string_view host;
    bool expects_continue = false;
    std::string_view fault;  // a literal; empty when all is well
    unsigned fault_status = 400;
};

bool has_element(std::string_view list, std::string_view element) noexcept {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (iequals(trim_blanks(list.substr(0, comma)), element)) {
            return true;
        }
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    return false;
}

void note_length(Framing& framing, std::string_view value) noexcept {
    std::uint64_t length = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, length);
    constexpr std::uint64_t limit = 1ULL << 62U;
    if (value.empty() || !is_digit(value.front()) || error != std::errc{} || stop != end ||
        length > limit) {
        framing.fault = "invalid Content-Length";
    } else if (framing.length) {
        framing.fault = "more than one Content-Length";
    }
    framing.length = length;
}

void note_field(Framing& framing, const Field& field) noexcept {
    // Only names of these lengths matter: the common fields cost one comparison.
    switch (field.name.size()) {
        case 4:
            if (iequals(field.name, "Host")) {
                ++framing.hosts;
                framing.host = field.value;
            }
            break;
        case 6:
            if (iequals(field.name, "Expect")) {
                framing.expects_continue = iequals(field.value, "100-continue");
                if (!framing.expects_continue) {
                    framing.fault = "unknown expectation";
                    framing.fault_status = 417;
                }
            }
            break;
        case 10:
            if (iequals(field.name, "Connection")) {
                framing.close = framing.close || has_element(field.value, "close");
                framing.keep_alive = framing.keep_alive || has_element(field.value, "keep-alive");
            }
            break;
        case 14:
            if (iequals(field.name, "Content-Length")) {
                note_length(framing, field.value);
            }
            break;
        case 17:
            if (iequals(field.name, "Transfer-Encoding")) {
                if (framing.chunked) {
                    framing.fault = "more than one Transfer-Encoding";
                } else if (!iequals(field.value, "chunked")) {
                    framing.fault = "transfer coding other than 'chunked'";
                    framing.fault_status = 501;
                }
                framing.chunked = true;
            }
            break;
        default:
            break;
    }
}

/// Parses the field lines up to the empty one into `fields`.
ParseResult parse_fields(std::string_view& rest, const HeadLimits& limits,
                         std::vector<Field>& fields, Framing& framing) {
    fields.clear();
    for (;;) {
        const auto line = take_line(rest);
        if (line.empty()) {
            return good(0);
        }
        if (fields.size() == limits.fields) {
            return bad(431, "too many header fields");
        }
        const auto colon = line.find(':');
        if (line.front() == ' ' || line.front() == '\t') {
            return bad(400, "folded header line");
        }
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
            return bad(400, "invalid header name");
        }
        const Field field{line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
        if (!is_field_value(field.value)) {
            return bad(400, "control character in a header value");
        }
        fields.push_back(field);
        note_field(framing, field);
    }
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
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte < 0x7F && byte != '#';
    });
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

std::optional<std::string_view> ResponseHead::find(std::string_view name) const noexcept {
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

ParseResult HeadScanner::scan(std::string_view bytes, const HeadLimits& limits) noexcept {
    if (!bytes.empty() && !is_token_char(bytes.front())) {
        return bytes.front() == '\r' || bytes.front() == '\n' ? bad(400, "empty first line")
                                                              : bad(400, "this is not HTTP");
    }
    while (scanned_ < bytes.size()) {
        const auto* found = static_cast<const char*>(
            std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_));
        const auto at =
            found == nullptr ? bytes.size() : static_cast<std::size_t>(found - bytes.data());
        const auto before = judge(bytes.substr(0, at), limits);
        if (before.state == State::bad) {
            return before;
        }
        if (found == nullptr) {
            // A last CR is looked at again with the byte that follows it.
            scanned_ = bytes.back() == '\r' ? bytes.size() - 1 : bytes.size();
            return {};
        }
        if (at == 0 || bytes[at - 1] != '\r') {
            return bad(400, "line that ends in a bare line feed");
        }
        scanned_ = at + 1;
        const auto length = at - 1 - line_start_;
        if (length == 0) {
            return scanned_ > limits.head ? bad(431, "head too large") : good(scanned_);
        }
        first_line_ = first_line_ == 0 ? length : first_line_;
        line_start_ = scanned_;
    }
    return bytes.size() > limits.head ? bad(431, "head too large") : ParseResult{};
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
    const auto line = take_line(rest);
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

bool is_hop_by_hop(std::string_view name, std::string_view connection) noexcept {
    constexpr std::array<std::string_view, 9> fixed{
        "Connection",        "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE",
        "Transfer-Encoding", "Trailer",    "Upgrade",          "Proxy-Authorization"};
    return std::any_of(fixed.begin(), fixed.end(),
                       [name](std::string_view hop) { return iequals(name, hop); }) ||
           has_element(connection, name);
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
