#include "daemon/transfer/response.hpp"

#include <chrono>
#include <initializer_list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

using namespace std::chrono_literals;
using Verdict = Judgement::Verdict;

ResponseHead head_of(std::initializer_list<const char*> lines) {
    ResponseHead head;
    for (const auto* line : lines) {
        take_line(head, line);
    }
    return head;
}

Verdict verdict(std::initializer_list<const char*> lines, const Asked& asked) {
    return judge(head_of(lines), asked, WallTime()).verdict;
}

const Asked first{Range{0, 100}, std::nullopt, ""};
const Asked later{Range{100, 200}, 300, "\"v1\""};

TEST(ResponseTest, ReadsAHead) {
    const auto head = head_of({"HTTP/1.1 206 Partial\r\n", "content-LENGTH: 10\r\n",
                               "ETag: \"x\"\r\n", "Content-Range: bytes 0-9/20\r\n", "\r\n"});
    EXPECT_EQ(head.status, 206U);
    EXPECT_EQ(head.length, 10U);
    EXPECT_EQ(head.etag, "\"x\"");
    EXPECT_EQ(head.content_range, "bytes 0-9/20");
}

TEST(ResponseTest, AnInterimHeadIsForgotten) {
    const auto head =
        head_of({"HTTP/1.1 103 Early\r\n", "ETag: \"early\"\r\n", "HTTP/2 200\r\n", "\r\n"});
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.etag, "");
}

TEST(ResponseTest, ReadsContentRanges) {
    const auto part = parse_content_range("bytes 5-9/20");
    ASSERT_TRUE(part);
    EXPECT_EQ(part->range, (Range{5, 10}));
    EXPECT_EQ(part->total, 20U);
    EXPECT_EQ(parse_content_range("bytes 5-9/*")->total, std::nullopt);
    for (const auto* text :
         {"", "bytes", "bytes 9-5/20", "bytes 5-20/20", "bytes */20", "5-9/20", "bytes 5-9",
          "bytes 5-9/", "bytes -9/20", "bytes 0-9/9999999999999999999",
          "bytes 0-18446744073709551615/18446744073709551616"}) {
        EXPECT_FALSE(parse_content_range(text)) << text;
    }
}

TEST(ResponseTest, ReadsWhenToTryAgain) {
    const auto now = std::chrono::system_clock::from_time_t(784111777);  // RFC 9110's own example
    EXPECT_EQ(parse_retry_after("5", now), 5s);
    EXPECT_EQ(parse_retry_after("86400", now), 10min);
    EXPECT_EQ(parse_retry_after("99999999999999999999", now), std::nullopt);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0s);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), 10s);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:47 GMT", now), 10min);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1984 08:49:47 GMT", now), 0s);
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), 10min);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now + 1ms), 10s);
    EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
    EXPECT_EQ(parse_retry_after("", now), std::nullopt);
}

TEST(ResponseTest, TakesThePartThatWasAskedFor) {
    const auto judgement =
        judge(head_of({"HTTP/1.1 206 x", "Content-Range: bytes 0-99/300", "Content-Length: 100"}),
              first, WallTime());
    EXPECT_EQ(judgement.verdict, Verdict::take);
    EXPECT_EQ(judgement.size, 300U);
}

TEST(ResponseTest, TakesAFileThatIsShorterThanThePart) {
    EXPECT_EQ(verdict({"HTTP/1.1 206 x", "Content-Range: bytes 0-9/10"}, first), Verdict::take);
}

TEST(ResponseTest, RefusesAnotherPart) {
    for (const auto* range : {"bytes 101-199/300", "bytes 0-99/300", "bytes 100-198/300", ""}) {
        const auto line = std::string("Content-Range: ") + range;
        EXPECT_EQ(verdict({"HTTP/1.1 206 x", line.c_str()}, later), Verdict::no_ranges) << range;
    }
    EXPECT_EQ(verdict({"HTTP/1.1 206 x", "Content-Range: bytes 100-199/300", "Content-Length: 300"},
                      later),
              Verdict::no_ranges);
    EXPECT_EQ(verdict({"HTTP/1.1 416 x"}, later), Verdict::no_ranges);
}

TEST(ResponseTest, SeesThatTheFileIsAnother) {
    EXPECT_EQ(
        verdict({"HTTP/1.1 206 x", "ETag: \"v2\"", "Content-Range: bytes 100-199/300"}, later),
        Verdict::changed);
    EXPECT_EQ(verdict({"HTTP/1.1 206 x", "Content-Range: bytes 100-199/301"}, later),
              Verdict::changed);
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "ETag: \"v2\""}, later), Verdict::changed);
}

TEST(ResponseTest, NeverTakesAWholeFileForAPart) {
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "ETag: \"v1\""}, later), Verdict::no_ranges);
    const Asked without_tag{Range{100, 200}, 300, ""};
    EXPECT_EQ(verdict({"HTTP/1.1 200 x"}, without_tag), Verdict::no_ranges);
}

TEST(ResponseTest, TakesAWholeFileFromItsStart) {
    const auto judgement =
        judge(head_of({"HTTP/1.1 200 x", "Content-Length: 300"}), first, WallTime());
    EXPECT_EQ(judgement.verdict, Verdict::take_whole);
    EXPECT_EQ(judgement.size, 300U);
}

TEST(ResponseTest, RefusesWhatCannotBeTheFile) {
    const Asked known{std::nullopt, 300, ""};
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "Content-Length: 299"}, known), Verdict::fail);
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "Content-Length: 0"}, first), Verdict::fail);
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "Content-Length: 9223372036854775808"}, first),
              Verdict::fail);
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "Content-Length: 5", "Content-Length: 6"}, first),
              Verdict::fail);
    EXPECT_EQ(verdict({"HTTP/1.1 200 x", "Content-Encoding: gzip"}, first), Verdict::fail);
    EXPECT_EQ(verdict({"HTTP/1.1 204 x"}, first), Verdict::fail);
}

TEST(ResponseTest, TellsWhatMayPassFromWhatWillNot) {
    for (const auto* status : {"429", "408", "500", "502", "503"}) {
        const auto line = std::string("HTTP/1.1 ") + status;
        EXPECT_EQ(verdict({line.c_str()}, first), Verdict::retry) << status;
    }
    for (const auto* status : {"401", "403", "404", "410"}) {
        const auto line = std::string("HTTP/1.1 ") + status;
        EXPECT_EQ(verdict({line.c_str()}, first), Verdict::unwelcome) << status;
    }
    EXPECT_EQ(verdict({"HTTP/1.1 302 x", "Location: /y"}, first), Verdict::redirect);
    const auto judgement = judge(head_of({"HTTP/1.1 503 x", "Retry-After: 7"}), first, WallTime());
    EXPECT_EQ(judgement.delay, 7s);
}

TEST(ResponseTest, OnlyStrongTagsJoinParts) {
    EXPECT_TRUE(is_strong("\"abc\""));
    EXPECT_FALSE(is_strong("W/\"abc\""));
    EXPECT_FALSE(is_strong("\"\""));
    EXPECT_FALSE(is_strong("\"a\rX-Evil: 1\""));
    EXPECT_TRUE(is_strong("\"\xe4\""));
    EXPECT_FALSE(is_strong(""));
}

}  // namespace
}  // namespace routerd::transfer
