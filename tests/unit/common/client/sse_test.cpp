#include "common/client/sse.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace routerd::client {
namespace {

std::string told(const SseEvent& event) {
    return event.comment.empty() ? event.name + "|" + event.data + "|" + event.id
                                 : "#" + event.comment;
}

/// What the parser makes of `text` when it comes in pieces of `size` bytes.
std::vector<std::string> parse(std::string_view text, std::size_t size) {
    SseParser parser;
    std::vector<std::string> events;
    const auto take = [&events](const SseEvent& event) {
        events.push_back(told(event));
        return true;
    };
    for (std::size_t at = 0; at < text.size(); at += size) {
        EXPECT_TRUE(parser.push(text.substr(at, size), take));
    }
    return events;
}

TEST(SseParserTest, ReadsTheSameWhereverTheStreamIsCut) {
    constexpr std::string_view text =
        ": queued 3\n\nevent: stage\r\nid: 7\r\ndata: a\r\ndata: b\r\n\r\ndata:c\rretry: 5\r\r\n"
        "event: lost\n\nda: x\ndata\n\n";
    const std::vector<std::string> expected{"#queued 3", "stage|a\nb|7", "message|c|7",
                                            "message||7"};
    for (const std::size_t size : {1U, 2U, 3U, 7U, 1000U}) {
        EXPECT_EQ(parse(text, size), expected) << size;
    }
}

TEST(SseParserTest, StopsWhenTheSinkHasEnough) {
    SseParser parser;
    int count = 0;
    const auto more = parser.push("data: 1\n\ndata: 2\n\n", [&count](const SseEvent&) {
        ++count;
        return false;
    });
    ASSERT_TRUE(more);
    EXPECT_FALSE(*more);
    EXPECT_EQ(count, 1);
}

TEST(SseParserTest, RefusesALineWithoutEnd) {
    SseParser parser;
    const auto more =
        parser.push(std::string((16U << 20U) + 1, 'x'), [](const SseEvent&) { return true; });
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code(), Errc::upstream_error);
}

}  // namespace
}  // namespace routerd::client
