#include "common/client/exchange.hpp"

#include <gtest/gtest.h>

#include "tests/support/scripted_server.hpp"

namespace routerd::client {
namespace {

using namespace std::chrono_literals;

/// The body that a client makes of `answer`.
Result<std::string> body_of(const std::string& answer) {
    test::ScriptedServer server;
    server.answer("GET /x", answer);
    const auto address = parse_address(server.host());
    const Patience patience{.deadline = std::chrono::steady_clock::now() + 5s};
    auto socket = Socket::connect(*address, patience);
    if (!socket) {
        return socket.error();
    }
    const Request request("GET", "/x");
    auto exchange = Exchange::start(std::move(*socket), *address, request, patience);
    if (!exchange) {
        return exchange.error();
    }
    return exchange->read_all(patience);
}

struct ExchangeCase {
    const char* name;
    std::string answer;
    const char* outcome;  ///< the body, or "!" and the error
};

class AnswerTest : public testing::TestWithParam<ExchangeCase> {};

TEST_P(AnswerTest, IsReadToItsEndOrRefused) {
    const auto body = body_of(GetParam().answer);
    EXPECT_EQ(body ? *body : "!" + body.error().message(), GetParam().outcome);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    All, AnswerTest,
    testing::Values(
        ExchangeCase{"Length", ok + "Content-Length: 5\r\n\r\nhello", "hello"},
        ExchangeCase{"LengthZero", ok + "Content-Length: 0\r\n\r\n", ""},
        ExchangeCase{"Chunked", chunked + "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", "hello"},
        ExchangeCase{"UntilClose", ok + "\r\nhello", "hello"},
        ExchangeCase{"AfterContinue",
                     "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx", "x"},
        ExchangeCase{"LengthTooShort", ok + "Content-Length: 9\r\n\r\nhello",
                     "!the connection ended in the middle of the answer"},
        ExchangeCase{"ChunksBrokenOff", chunked + "5\r\nhello\r\n",
                     "!the connection ended in the middle of the answer"},
        ExchangeCase{"NoAnswer", "", "!the connection ended in the middle of the answer"}),
    [](const auto& row) { return row.param.name; });

TEST(ExchangeTest, ReadsABodyThatComesInManyPieces) {
    const std::string large(300'000, 'x');
    const auto body = body_of(ok + "Content-Length: 300000\r\n\r\n" + large);
    ASSERT_TRUE(body);
    EXPECT_EQ(*body, large);
}

TEST(ExchangeTest, RefusesWhatIsNotHttp) {
    const auto body = body_of("hello there\r\n\r\n");
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code(), Errc::upstream_error);
    EXPECT_TRUE(body.error().message().starts_with("the answer is not HTTP"))
        << body.error().message();
}

TEST(ExchangeTest, GivesUpAtTheDeadline) {
    test::ScriptedServer server;
    server.answer_and_hold("GET /x", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    const auto address = parse_address(server.host());
    const Patience patience{.deadline = std::chrono::steady_clock::now() + 50ms};
    auto socket = Socket::connect(*address, patience);
    ASSERT_TRUE(socket);
    auto exchange = Exchange::start(std::move(*socket), *address, Request("GET", "/x"), patience);
    ASSERT_TRUE(exchange);
    const auto body = exchange->read_all(patience);
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code(), Errc::deadline_exceeded);
}

}  // namespace
}  // namespace routerd::client
