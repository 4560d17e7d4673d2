#include "common/http/head.hpp"

#include <string>

#include <gtest/gtest.h>

namespace routerd::http {
namespace {

using State = ParseResult::State;

/// Scans and parses as a session does.
ParseResult parse(std::string_view bytes, RequestHead& head) {
    HeadScanner scanner;
    const HeadLimits limits;
    const auto scanned = scanner.scan(bytes, limits);
    return scanned.state == State::complete
               ? parse_request_head(bytes.substr(0, scanned.consumed), limits, head)
               : scanned;
}

TEST(RequestHeadTest, ReadsWhatAClientSends) {
    RequestHead head;
    const std::string bytes =
        "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: localhost:8080\r\n"
        "content-length: 12\r\nX-Empty:\r\nExpect: 100-continue\r\n\r\n{\"model\":1}X";
    const auto result = parse(bytes, head);
    ASSERT_EQ(result.state, State::complete) << result.reason;
    EXPECT_EQ(bytes.substr(result.consumed), "{\"model\":1}X");
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.path, "/v1/chat/completions");
    EXPECT_EQ(head.query, "a=b");
    EXPECT_EQ(head.host, "localhost:8080");
    EXPECT_EQ(head.body, BodyKind::length);
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_EQ(head.find("x-empty"), "");
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_FALSE(head.find("Accept"));
}

TEST(HeadScannerTest, FindsTheEndWhereverItLiesAndWhateverIsBehind) {
    const HeadLimits limits;
    for (std::size_t length = 0; length < 140; ++length) {
        const std::string head =
            "GET / HTTP/1.1\r\nA: " + std::string(length, 'a') + "\r\nB: b\r\n\r\n";
        for (const std::string behind : {"", "\n", "\r", "{\n\n}", "\r\n\r\n"}) {
            HeadScanner at_once;
            const auto whole = at_once.scan(head + behind, limits);
            EXPECT_EQ(whole.state, State::complete) << length << whole.reason;
            EXPECT_EQ(whole.consumed, head.size()) << length;
            EXPECT_EQ(at_once.first_line(), 14U) << length;
        }
        for (const std::string odd : {"\n", "\r", "\n\r", "\r\r\n"}) {
            auto wrong = head;
            wrong.replace(wrong.find("\r\nB"), 2, odd);
            HeadScanner scanner;
            EXPECT_EQ(scanner.scan(wrong, limits).state, State::bad) << length;
        }
    }
}

TEST(HeadScannerTest, HoldsLimitsToTheByte) {
    const std::string head = "GET / HTTP/1.1\r\nA: a\r\n\r\n";
    const auto scan = [&head](std::size_t line, std::size_t whole) {
        HeadScanner scanner;
        return scanner.scan(head, {.line = line, .head = whole, .fields = 10}).status;
    };
    EXPECT_EQ(scan(14, head.size()), 0U);
    EXPECT_EQ(scan(13, head.size()), 414U);
    EXPECT_EQ(scan(14, head.size() - 1), 431U);
}

TEST(RequestHeadTest, NamesAndValuesOfEachLengthAreReadWhole) {
    const HeadLimits limits;
    for (std::size_t length = 1; length < 70; ++length) {
        const std::string name(length, 'n');
        const std::string value = "v" + std::string(length, '\t') + "\xC3\xBC";
        RequestHead head;
        const auto text = "GET / HTTP/1.1\r\nHost: x\r\n" + name + ":" + value + " \r\n\r\n";
        ASSERT_EQ(parse(text, head).state, State::complete) << length;
        EXPECT_EQ(head.find(name), value) << length;
        for (const char odd : {'\x01', '\x7F', '\x1F'}) {
            auto wrong = text;
            wrong[wrong.size() - 5] = odd;
            EXPECT_EQ(parse(wrong, head).reason, "control character in a header value") << length;
            wrong = text;
            wrong[wrong.find(name) + length - 1] = odd;
            EXPECT_EQ(parse(wrong, head).reason, "invalid header name") << length;
        }
    }
}

TEST(RequestHeadTest, ANameThatOnlyLooksLikeAKnownOneIsNone) {
    RequestHead head;
    for (const std::string odd :
         {"content\rlength", "Content length", "\xE3ontent-length", "[ontent-length"}) {
        const auto text = "GET / HTTP/1.1\r\nHost: x\r\n" + odd + ": 5\r\n\r\n";
        EXPECT_EQ(parse(text, head).state, State::bad) << odd;
    }
}

TEST(RequestHeadTest, AnAbsoluteTargetNamesTheHost) {
    RequestHead head;
    for (const std::string target : {"https://a.example", "HTTP://a.example?q=1"}) {
        const auto text = "GET " + target + " HTTP/1.1\r\nHost: b\r\n\r\n";
        EXPECT_EQ(parse(text, head).state, State::complete) << target;
        EXPECT_EQ(head.host, "a.example");
        EXPECT_EQ(head.path, "/");
        EXPECT_EQ(head.query, target.ends_with("q=1") ? "q=1" : "");
    }
    EXPECT_EQ(parse("GET http://a.example:1/x?q HTTP/1.1\r\nHost: b\r\n\r\n", head).state,
              State::complete);
    EXPECT_EQ(head.host, "a.example:1");
    EXPECT_EQ(head.path, "/x");
    EXPECT_EQ(head.query, "q");
}

TEST(RequestHeadTest, KeepAliveFollowsVersionAndConnection) {
    RequestHead head;
    parse("GET / HTTP/1.0\r\n\r\n", head);
    EXPECT_FALSE(head.keep_alive);
    parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head);
    EXPECT_TRUE(head.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, close\r\n\r\n", head);
    EXPECT_FALSE(head.keep_alive);
}

TEST(HeadScannerTest, TakesBytesOneByOne) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    HeadScanner scanner;
    const HeadLimits limits;
    for (std::size_t length = 1; length < bytes.size() - 4; ++length) {
        EXPECT_EQ(scanner.scan(std::string_view(bytes).substr(0, length), limits).state,
                  State::incomplete);
    }
    const auto result = scanner.scan(bytes, limits);
    EXPECT_EQ(result.state, State::complete);
    EXPECT_EQ(result.consumed, bytes.size() - 4);
}

TEST(HeadScannerTest, SaysTheSameOfPiecesAsOfTheWhole) {
    const HeadLimits limits{.line = 16, .head = 40, .fields = 5};
    for (const std::string bytes : {
             "GET /12 HTTP/1.1\r\n\r\n",                            // as long as a line may be
             "GET /123 HTTP/1.1\r\n\r\n",                           // one byte longer
             "GET /123 HTTP/1.1\n\n",                               // too long before it is broken
             "GET / HTTP/1.1\r\nX: 01234567890123456789\n",         // in the last place
             "GET / HTTP/1.1\r\nX: 01234567890123456789012\nY: a",  // too large before it is broken
         }) {
        HeadScanner at_once;
        const auto whole = at_once.scan(bytes, limits);
        HeadScanner scanner;
        ParseResult pieces;
        for (std::size_t n = 1; n <= bytes.size() && pieces.state == State::incomplete; ++n) {
            pieces = scanner.scan(std::string_view(bytes).substr(0, n), limits);
        }
        EXPECT_EQ(pieces.state, whole.state) << bytes;
        EXPECT_EQ(pieces.consumed, whole.consumed) << bytes;
        EXPECT_EQ(pieces.status, whole.status) << bytes;
    }
}

struct BadHead {
    const char* name;
    std::string bytes;
    unsigned status;
};

class BadHeads : public testing::TestWithParam<BadHead> {};

TEST_P(BadHeads, AreRefusedAtOnce) {
    RequestHead head;
    const auto result = parse(GetParam().bytes, head);
    EXPECT_EQ(result.state, State::bad);
    EXPECT_EQ(result.status, GetParam().status) << result.reason;
}

std::string post(const std::string& fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHeads,
    testing::Values(
        BadHead{"bare_lf", "GET / HTTP/1.1\nHost: a\n\n", 400},
        BadHead{"empty_line_first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
        BadHead{"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        BadHead{"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        BadHead{"host_with_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        BadHead{"host_with_long_port", "GET / HTTP/1.1\r\nHost: [::1]:123456\r\n\r\n", 400},
        BadHead{"target_without_host", "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"folded", post("X: a\r\n b"), 400},
        BadHead{"space_before_colon", post("X : a"), 400}, BadHead{"no_colon", post("X"), 400},
        BadHead{"nul_in_value", post(std::string("X: a\0b", 6)), 400},
        BadHead{"cr_in_value", post("X: a\rb"), 400},
        BadHead{"length_and_chunked", post("Content-Length: 1\r\nTransfer-Encoding: chunked"), 400},
        BadHead{"chunked_and_length", post("Transfer-Encoding: chunked\r\nContent-Length: 1"), 400},
        BadHead{"two_lengths", post("Content-Length: 1\r\nContent-Length: 1"), 400},
        BadHead{"length_list", post("Content-Length: 1, 1"), 400},
        BadHead{"signed_length", post("Content-Length: +1"), 400},
        BadHead{"huge_length", post("Content-Length: 99999999999999999999"), 400},
        BadHead{"gzip", post("Transfer-Encoding: gzip"), 501},
        BadHead{"gzip_chunked", post("Transfer-Encoding: gzip, chunked"), 501},
        BadHead{"chunked_twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
                400},
        BadHead{"chunked_1_0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                400},
        BadHead{"version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        BadHead{"version_case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"no_version", "GET /\r\n\r\n", 400},
        BadHead{"authority", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"ftp", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"asterisk_get", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        BadHead{"expectation", post("Expect: 200-ok"), 417},
        BadHead{"long_line", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
                414},
        BadHead{"long_line_unfinished", "GET /" + std::string(9000, 'a'), 414},
        BadHead{"large_head", post("X: " + std::string(40000, 'a')), 431},
        BadHead{"large_head_unfinished", "GET / HTTP/1.1\r\nX: " + std::string(40000, 'a'), 431}),
    [](const auto& bad) { return bad.param.name; });

TEST(RequestHeadTest, RefusesTooManyFields) {
    std::string fields;
    for (int i = 0; i < 101; ++i) {
        fields += "X: a\r\n";
    }
    RequestHead head;
    EXPECT_EQ(parse(post(fields + "Y: b"), head).status, 431U);
}

TEST(ResponseHeadTest, ReadsFraming) {
    const HeadLimits limits;
    ResponseHead head;
    auto result = parse_response_head(
        "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nTransfer-Encoding: chunked\r\n\r\n", limits, false,
        head);
    EXPECT_EQ(result.state, State::complete);
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.reason, "OK");
    EXPECT_EQ(head.body, BodyKind::chunked);
    EXPECT_TRUE(head.keep_alive);
    parse_response_head("HTTP/1.1 204 \r\n\r\n", limits, false, head);
    EXPECT_EQ(head.body, BodyKind::none);
    parse_response_head("HTTP/1.1 200 OK\r\n\r\n", limits, false, head);
    EXPECT_EQ(head.body, BodyKind::until_close);
    EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHeadTest, DistrustsUpstreamsToo) {
    const HeadLimits limits;
    ResponseHead head;
    for (const auto* bytes :
         {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n",
          "HTTP/1.1200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"}) {
        EXPECT_EQ(parse_response_head(bytes, limits, false, head).state, State::bad) << bytes;
    }
}

TEST(HopByHopTest, KnowsTheFixedNamesAndTheNamedOnes) {
    const auto is_for_one_hop = [](std::string_view name, std::string_view options) {
        return is_hop_by_hop({name, ""}, options);
    };
    EXPECT_TRUE(is_for_one_hop("connection", ""));
    EXPECT_TRUE(is_for_one_hop("X-Secret", "close, x-secret"));
    EXPECT_FALSE(is_for_one_hop("Content-Type", "close"));
}

TEST(PercentTest, DecodesAndEncodes) {
    EXPECT_EQ(percent_decode("a%20b%2F"), "a b/");
    EXPECT_EQ(percent_decode("%41"), "A");
    EXPECT_FALSE(percent_decode("%4"));
    EXPECT_FALSE(percent_decode("%zz"));
    EXPECT_FALSE(percent_decode("%00"));
    EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
    EXPECT_EQ(query_value("x=1&model=a%2Fb+c", "model"), "a/b c");
    EXPECT_FALSE(query_value("x=1", "model"));
}

}  // namespace
}  // namespace routerd::http
