// Reads arbitrary bytes as a request head. Beside crashes and sanitizers' findings, a run fails
// when the bytes mean something else in pieces than in one, when a plain reader of the same rules
// (see head_reference.hpp) would take, refuse or understand the head otherwise, when a head's parts
// lie outside of it, or when it reads differently once it is written anew, as it is sent on.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/head.hpp"
#include "tests/fuzz/head_reference.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::fuzz;
using namespace routerd::http;
using State = ParseResult::State;

bool is_reference_host(const std::string& text) {
    if (text.starts_with('[')) {
        const auto parts = cut(text.substr(1), "]");
        const bool port = parts.size() == 2 && (parts[1].empty() || parts[1].starts_with(':'));
        return port && parts[0].size() > 1 && only(parts[0], digits + "abcdefABCDEF:.") &&
               parts[1].size() <= 6 && only(parts[1].substr(parts[1].empty() ? 0 : 1), digits);
    }
    const auto parts = cut(text, ":");
    return parts.size() <= 2 && !parts[0].empty() &&
           only(parts[0], letters + digits + "!$&'*+-._~") &&
           only(parts.back(), parts.size() == 2 ? digits : parts[0]) &&
           (parts.size() == 1 || parts[1].size() <= 5);
}

struct Target {
    std::string path;
    std::string query;
    std::string host;  // empty: it does not say
};

std::optional<Target> read_target(const std::string& method, const std::string& text) {
    for (const char c : text) {
        if (c <= ' ' || c > '~' || c == '#') {
            return std::nullopt;
        }
    }
    if (text == "*") {
        return method == "OPTIONS" ? std::optional(Target{"*", "", ""}) : std::nullopt;
    }
    Target target;
    std::string rest = text;
    for (const std::string scheme : {"http://", "https://"}) {
        if (lower(text).starts_with(scheme)) {
            rest = text.substr(scheme.size());
            target.host = rest.substr(0, rest.find_first_of("/?"));
            rest = rest.substr(target.host.size());
            rest = rest.starts_with('/') ? rest : "/" + rest;
            if (!is_reference_host(target.host)) {
                return std::nullopt;
            }
        }
    }
    if (!rest.starts_with('/')) {
        return std::nullopt;
    }
    target.path = rest.substr(0, rest.find('?'));
    target.query = target.path == rest ? "" : rest.substr(target.path.size() + 1);
    return target;
}

struct Request {
    ReferenceHead head;
    Target target;
    unsigned minor = 0;
};

std::optional<Request> read_request(std::string_view bytes) {
    auto head = read_reference_head(bytes);
    if (!head || head->first_line.size() != 3 || !is_reference_token(head->first_line[0])) {
        return std::nullopt;
    }
    const auto& version = head->first_line[2];
    const auto target = read_target(head->first_line[0], head->first_line[1]);
    const bool is_1_1 = version == "HTTP/1.1";
    if ((!is_1_1 && version != "HTTP/1.0") || !target || head->hosts.size() > 1 ||
        (head->hosts.empty() && is_1_1) || (head->chunked && !is_1_1)) {
        return std::nullopt;
    }
    if (!head->hosts.empty() && !is_reference_host(head->hosts[0])) {
        return std::nullopt;
    }
    return Request{std::move(*head), *target, is_1_1 ? 1U : 0U};
}

void check_query(std::string_view query) {
    const auto decoded = percent_decode(query);
    if (decoded) {
        require(decoded->find('\0') == std::string::npos, "no encoded NUL");
        require(decoded->size() <= query.size(), "decoding never grows");
    }
    require(percent_decode(percent_encode(query)) == query, "what is encoded can be decoded");
    const auto name = percent_decode(query.substr(0, query.find_first_of("=&")));
    if (name) {
        (void)query_value(query, *name);
    }
    const auto with_pair = "a%41=b%20+c&" + std::string(query);
    require(query_value(with_pair, "aA") == "b  c", "the first of a name counts");
}

void check_meaning(const RequestHead& head, const Request& reference, std::string_view bytes) {
    check_accepted(head, reference.head, bytes);
    for (const auto part : {head.method, head.target, head.path, head.query, head.host}) {
        require(lies_in(part, bytes), "parts lie in the head");
    }
    require(head.method == reference.head.first_line[0], "method");
    require(head.target == reference.head.first_line[1], "target");
    require(head.path == reference.target.path && head.query == reference.target.query, "path");
    require(head.minor_version == reference.minor, "version");
    const auto length = reference.head.length.value_or(0);
    require(head.content_length == length, "length");
    require(head.body == (reference.head.chunked ? BodyKind::chunked
                          : length > 0           ? BodyKind::length
                                                 : BodyKind::none),
            "kind of body");
    const auto& hosts = reference.head.hosts;
    const auto host = hosts.empty() ? std::string() : hosts[0];
    require(head.host == (reference.target.host.empty() ? host : reference.target.host), "host");
    require(head.keep_alive ==
                (!reference.head.close && (reference.minor == 1 || reference.head.keep_alive)),
            "life of the connection");
    require(head.expects_continue == (reference.head.expects && reference.minor == 1), "expect");
}

void check_head(std::string_view bytes) {
    RequestHead head;
    const auto parsed = parse_request_head(bytes, head_limits, head);
    const auto reference = read_request(bytes);
    const auto line = check_request_line(bytes.substr(0, bytes.find('\r')), head_limits);
    require((parsed.state == State::complete) == reference.has_value(), "taken by both or none");
    if (parsed.state != State::complete) {
        require(parsed.state == State::bad && !parsed.reason.empty(), "a fault has a reason");
        require(parsed.status >= 400 && parsed.status <= 505, "a fault has a status");
        return;
    }
    require(parsed.consumed == bytes.size(), "scanner and parser agree on the end");
    require(line.state == State::incomplete, "a good request begins with a good line");
    check_meaning(head, *reference, bytes);
    check_query(head.query);
    const auto copy = written(std::string(head.method) + ' ' + std::string(head.target) +
                                  " HTTP/1." + std::to_string(head.minor_version),
                              head);
    RequestHead again;
    // More room: the copy has a space behind each colon.
    const HeadLimits roomy;
    require(parse_request_head(copy, roomy, again).state == State::complete, "can be sent on");
    check_same(head, again);
    require(head.method == again.method && head.target == again.target, "same request");
    require(head.path == again.path && head.query == again.query && head.host == again.host,
            "same place");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const auto bytes = find_head(text);
    if (bytes) {
        check_head(*bytes);
        RequestHead head;
        const auto parsed = parse_request_head(text, head_limits, head);
        require(parsed.state == State::bad || parsed.consumed == bytes->size(),
                "what follows a head does not matter");
    }
    return 0;
}
