// Reads arbitrary bytes as a response head. Beside crashes and sanitizers' findings, a run fails
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

struct Response {
    ReferenceHead head;
    unsigned status = 0;
    std::string reason;
    unsigned minor = 0;
};

std::optional<Response> read_response(std::string_view bytes) {
    auto head = read_reference_head(bytes);
    if (!head || head->first_line.size() < 2) {
        return std::nullopt;
    }
    const auto version = head->first_line[0];
    const auto code = head->first_line[1];
    const bool is_1_1 = version == "HTTP/1.1";
    if ((!is_1_1 && version != "HTTP/1.0") || code.size() != 3 || !only(code, digits) ||
        code.front() == '0' || (head->chunked && !is_1_1)) {
        return std::nullopt;
    }
    std::string reason;
    for (std::size_t i = 2; i < head->first_line.size(); ++i) {
        reason += (i > 2 ? " " : "") + head->first_line[i];
    }
    if (has_control(reason)) {
        return std::nullopt;
    }
    return Response{std::move(*head), static_cast<unsigned>(std::stoul(code)), reason,
                    is_1_1 ? 1U : 0U};
}

/// RFC 9112 6.3, for a client.
BodyKind body_of(const Response& response, bool to_head_request) {
    const auto status = response.status;
    if (to_head_request || status / 100 == 1 || status == 204 || status == 304) {
        return BodyKind::none;
    }
    if (response.head.chunked) {
        return BodyKind::chunked;
    }
    if (!response.head.length) {
        return BodyKind::until_close;
    }
    return *response.head.length == 0 ? BodyKind::none : BodyKind::length;
}

void check_meaning(const ResponseHead& head, const Response& reference, bool to_head_request) {
    const auto body = body_of(reference, to_head_request);
    require(head.status == reference.status && head.reason == reference.reason, "status");
    require(head.minor_version == reference.minor, "version");
    require(head.body == body, "kind of body");
    require(head.content_length == reference.head.length.value_or(0), "length");
    const bool lasts = reference.minor == 1 || reference.head.keep_alive;
    require(head.keep_alive == (!reference.head.close && body != BodyKind::until_close && lasts),
            "life of the connection");
}

void check_head(std::string_view bytes, bool to_head_request) {
    ResponseHead head;
    const auto parsed = parse_response_head(bytes, head_limits, to_head_request, head);
    const auto reference = read_response(bytes);
    require((parsed.state == State::complete) == reference.has_value(), "taken by both or none");
    if (parsed.state != State::complete) {
        require(parsed.state == State::bad && !parsed.reason.empty(), "a fault has a reason");
        return;
    }
    require(parsed.consumed == bytes.size(), "scanner and parser agree on the end");
    require(lies_in(head.reason, bytes), "parts lie in the head");
    check_accepted(head, reference->head, bytes);
    check_meaning(head, *reference, to_head_request);
    const auto copy = written("HTTP/1." + std::to_string(head.minor_version) + ' ' +
                                  std::to_string(head.status) + ' ' + std::string(head.reason),
                              head);
    ResponseHead again;
    // More room: the copy has a space behind each colon.
    const HeadLimits roomy;
    require(parse_response_head(copy, roomy, to_head_request, again).state == State::complete,
            "can be sent on");
    check_same(head, again);
    require(head.status == again.status && head.reason == again.reason, "same status");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const auto bytes = find_head(text);
    if (bytes) {
        for (const bool to_head_request : {false, true}) {
            check_head(*bytes, to_head_request);
        }
    }
    return 0;
}
