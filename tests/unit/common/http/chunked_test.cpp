#include "common/http/chunked.hpp"

#include <string>

#include <gtest/gtest.h>

namespace routerd::http {
namespace {

struct Decoded {
    std::string data;
    std::string left;
    bool done = false;
    bool bad = false;
};

/// Feeds `input` in pieces of `piece` bytes.
Decoded decode(std::string_view input, std::size_t piece) {
    ChunkedDecoder decoder;
    Decoded result;
    while (!input.empty() && !decoder.done() && !decoder.bad()) {
        const auto step = decoder.next(input.substr(0, piece));
        result.data += step.data;
        input.remove_prefix(step.consumed);
    }
    result.left = input;
    result.done = decoder.done();
    result.bad = decoder.bad();
    return result;
}

class ChunkedPieces : public testing::TestWithParam<std::size_t> {};

TEST_P(ChunkedPieces, FindsTheEndAndLeavesWhatFollows) {
    const auto result = decode(
        "5\r\nhello\r\n1;ext=\"v\"\r\n \r\n5\r\nworld\r\n0\r\nX: y\r\n\r\nGET /", GetParam());
    EXPECT_TRUE(result.done);
    EXPECT_EQ(result.data, "hello world");
    EXPECT_EQ(result.left, "GET /");
}

INSTANTIATE_TEST_SUITE_P(Sizes, ChunkedPieces, testing::Values(1, 2, 3, 7, 1000));

class ChunkedFaults : public testing::TestWithParam<const char*> {};

TEST_P(ChunkedFaults, AreRefused) {
    EXPECT_TRUE(decode(GetParam(), 1000).bad);
    EXPECT_TRUE(decode(GetParam(), 1).bad);
}

INSTANTIATE_TEST_SUITE_P(All, ChunkedFaults,
                         testing::Values("\r\n", "5\nhello", "5 \r\nhello\r\n", "0x5\r\nhello\r\n",
                                         "-5\r\n", "+5\r\n", " 5\r\n", "5\r\nhelloX\r\n",
                                         "5\r\nhello\n0\r\n\r\n", "5;a\nb\r\n", "5;\x01\r\n",
                                         "0\r\nX: y\n\r\n", "0\r\n folded\r\n\r\n",
                                         "0\r\nGET / HTTP/1.1\r\n\r\n", "0\r\nX\r\n\r\n",
                                         "0\r\nX : y\r\n\r\n", "0\r\n\tfolded\r\n\r\n",
                                         "FFFFFFFFFFFFFFFFF\r\n", "5\r\rhello\r\n", "g\r\n"));

TEST(ChunkedTest, BoundsExtensionsAndTrailers) {
    EXPECT_TRUE(decode("5;" + std::string(2000, 'x') + "\r\n", 1000).bad);
    EXPECT_TRUE(decode("0\r\n" + std::string(9000, 'x'), 1000).bad);
    EXPECT_TRUE(decode("0\r\nX:" + std::string(9000, 'x'), 1000).bad);
}

}  // namespace
}  // namespace routerd::http
