// Reads arbitrary bytes as a request head, a response head and a chunked body. Beside crashes and
// sanitizers' findings, a run fails when the bytes mean something else in pieces than in one, when
// a head's parts lie outside of it, or when a head that was taken reads differently once it is
// written anew from its parts, as it is sent on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/http/chunked.hpp"
#include "common/http/head.hpp"

namespace {

using namespace routerd::http;
using State = ParseResult::State;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// How far the head goes, told piece by piece; pieces are as long as the bytes themselves say.
ParseResult scan_in_pieces(std::string_view bytes, const HeadLimits& limits) {
    HeadScanner scanner;
    ParseResult result;
    std::size_t known = 0;
    while (result.state == State::incomplete && known < bytes.size()) {
        const auto step = 1 + static_cast<unsigned char>(bytes[known]) % 7U;
        known = std::min(bytes.size(), known + step);
        result = scanner.scan(bytes.substr(0, known), limits);
    }
    return result;
}

bool lies_in(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

template <class Head>
std::string fields_of(const Head& head) {
    std::string text;
    for (const auto& field : head.fields) {
        text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    }
    return text + "\r\n";
}

template <class Head>
void require_same(const Head& a, const Head& b) {
    require(a.body == b.body && a.content_length == b.content_length);
    require(a.keep_alive == b.keep_alive && a.fields.size() == b.fields.size());
}

void check_request(std::string_view bytes, const HeadLimits& limits) {
    RequestHead head;
    const auto parsed = parse_request_head(bytes, limits, head);
    require(parsed.state != State::bad || (parsed.status >= 400 && !parsed.reason.empty()));
    if (parsed.state != State::complete) {
        return;
    }
    require(parsed.consumed <= bytes.size());
    for (const auto part : {head.method, head.target, head.path, head.query, head.host}) {
        require(lies_in(part, bytes) || part == "/");
    }
    require(head.path == "*" || head.path.starts_with('/'));
    const auto copy = std::string(head.method) + ' ' + std::string(head.target) + " HTTP/1." +
                      std::to_string(head.minor_version) + "\r\n" + fields_of(head);
    RequestHead again;
    require(parse_request_head(copy, limits, again).state == State::complete);
    require_same(head, again);
    require(head.path == again.path && head.query == again.query && head.host == again.host);
}

void check_response(std::string_view bytes, const HeadLimits& limits) {
    for (const bool to_head_request : {false, true}) {
        ResponseHead head;
        if (parse_response_head(bytes, limits, to_head_request, head).state != State::complete) {
            continue;
        }
        require(head.status >= 100 && head.status <= 999);
        const auto copy = "HTTP/1." + std::to_string(head.minor_version) + ' ' +
                          std::to_string(head.status) + ' ' + std::string(head.reason) + "\r\n" +
                          fields_of(head);
        ResponseHead again;
        require(parse_response_head(copy, limits, to_head_request, again).state == State::complete);
        require_same(head, again);
    }
}

struct Decoded {
    std::string payload;
    std::size_t consumed = 0;
    bool done = false;
    bool bad = false;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
    ChunkedDecoder decoder;
    Decoded decoded;
    std::size_t known = 0;
    while (!decoder.done() && !decoder.bad() && known < bytes.size()) {
        known = std::min(bytes.size(), known + piece);
        std::size_t taken = 1;
        while (taken != 0 && !decoder.done() && !decoder.bad()) {
            const auto step =
                decoder.next(bytes.substr(decoded.consumed, known - decoded.consumed));
            decoded.payload += step.data;
            decoded.consumed += step.consumed;
            taken = step.consumed;
        }
        require(decoder.bad() || decoder.done() || decoded.consumed == known);
    }
    decoded.done = decoder.done();
    decoded.bad = decoder.bad();
    require(decoded.bad == !decoder.fault().empty());
    return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const HeadLimits limits{.line = 256, .head = 1024, .fields = 20};
    HeadScanner scanner;
    const auto whole = scanner.scan(text, limits);
    const auto pieces = scan_in_pieces(text, limits);
    require(whole.state == pieces.state || whole.state == State::bad || pieces.state == State::bad);
    if (whole.state == State::complete && pieces.state == State::complete) {
        require(whole.consumed == pieces.consumed);
    }
    if (whole.state == State::complete) {
        const auto head = std::string_view(text).substr(0, whole.consumed);
        check_request(head, limits);
        check_response(head, limits);
    }
    const auto at_once = decode(text, std::max<std::size_t>(1, text.size()));
    const auto by_byte = decode(text, 1);
    require(at_once.bad == by_byte.bad && at_once.done == by_byte.done);
    require(at_once.bad || at_once.payload == by_byte.payload);
    require(!at_once.done || at_once.consumed == by_byte.consumed);
    return 0;
}
