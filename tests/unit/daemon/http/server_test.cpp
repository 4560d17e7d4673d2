#include "daemon/http/server.hpp"

#include <chrono>
#include <string>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/net/signal.hpp"
#include "http_fixture.hpp"

namespace routerd {
namespace {

using test::RawClient;

Route route(const char* method, const char* pattern, Handler handler) {
    return {method, pattern, Scope::open, std::move(handler), Dialect::openai};
}

Result<Response> echo(Exchange& exchange) {
    Response response;
    response.content_type = "text/plain";
    response.body = std::string(exchange.body()) + "|" + exchange.param("id");
    return response;
}

class ServerTest : public test::HttpTest {
  protected:
    ServerTest() {
        routes_.add(route("POST", "/echo/{id}", reply([](Exchange& e) { return echo(e); })));
        routes_.add(route("GET", "/echo/{id}", reply([](Exchange& e) { return echo(e); })));
    }
};

asio::awaitable<void> keeps_alive(RawClient client) {
    client.send("POST /echo/a%2Fb HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    const auto first = co_await client.read_until("hello|a/b");
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n")) << first;
    EXPECT_NE(first.find("content-length: 9\r\n"), std::string::npos);
    EXPECT_NE(first.find("x-request-id: req-"), std::string::npos);
    // Two at once, the second split: pipelined requests are answered in order.
    client.send("GET /echo/1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\nGET /ec");
    const auto second = co_await client.read_until("|1");
    EXPECT_NE(second.find("x-request-id: mine\r\n"), std::string::npos);
    client.send("ho/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto third = co_await client.read_all();
    EXPECT_TRUE(third.ends_with("|2"));
    EXPECT_NE(third.find("connection: close\r\n"), std::string::npos);
}

TEST_F(ServerTest, KeepsAConnectionAndItsOrder) {
    start();
    run(keeps_alive(client()));
}

asio::awaitable<void> chunked_body(RawClient client) {
    client.send(
        "POST /echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "Expect: 100-continue\r\n\r\n");
    const auto interim = co_await client.read_until("\r\n\r\n");
    EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    const auto answer = co_await client.read_until("abcde|x");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTest, ReadsChunkedBodiesAfterContinue) {
    start();
    run(chunked_body(client()));
}

/// Sends, and expects one answer with this status and then the end of the connection.
asio::awaitable<void> refused(RawClient client, std::string bytes, std::string status) {
    client.send(bytes);
    const auto answer = co_await client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status)) << answer;
    EXPECT_NE(answer.find("connection: close"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\"error\""), std::string::npos) << answer;
}

struct Refusal {
    const char* name;
    std::string bytes;
    const char* status;
};

class ServerRefusals : public ServerTest, public testing::WithParamInterface<Refusal> {};

TEST_P(ServerRefusals, EndTheConnection) {
    start();
    run(refused(client(), GetParam().bytes, GetParam().status));
}

INSTANTIATE_TEST_SUITE_P(
    All, ServerRefusals,
    testing::Values(
        Refusal{"bad_head", "GET / HTTP/1.1\n\n", "400"}, Refusal{"slow_head", "GET / HT", "408"},
        Refusal{"slow_body", "POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel",
                "408"},
        Refusal{"large_body", "POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
                "413"},
        Refusal{"large_chunk_announced",
                "POST /echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
                "413"},
        Refusal{"old_http", "GET /echo/x\r\n", "400"}, Refusal{"no_http", "\x16\x03\x01", "400"},
        Refusal{"bare_return", "GET /echo/x HTTP/1.1\r\nHost: x\r\n\rX", "400"},
        Refusal{"large_chunks",
                "POST /echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" +
                    std::string(1001, 'x'),
                "413"},
        Refusal{"bad_chunks",
                "POST /echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "400"}),
    [](const auto& refusal) { return refusal.param.name; });

asio::awaitable<void> unknown_paths(RawClient client) {
    client.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto missing = co_await client.read_until("}}");
    EXPECT_TRUE(missing.starts_with("HTTP/1.1 404"));
    client.send("DELETE /echo/x HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto wrong = co_await client.read_until("}}");
    EXPECT_TRUE(wrong.starts_with("HTTP/1.1 405"));
    EXPECT_NE(wrong.find("allow: POST, GET\r\n"), std::string::npos);
    client.send("HEAD /echo/x HTTP/1.1\r\nHost: x\r\n\r\nGET /echo/y HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto both = co_await client.read_until("|y");
    EXPECT_EQ(both.find("|x"), std::string::npos) << "HEAD has no body";
}

TEST_F(ServerTest, SaysWhatIsNotThere) {
    start();
    run(unknown_paths(client()));
}

asio::awaitable<void> stream_three(Exchange& exchange) {
    co_await exchange.begin_stream(200, "text/event-stream");
    for (const auto* piece : {"one", "two", "three"}) {
        co_await exchange.write(piece);
    }
    co_await exchange.finish_stream();
}

asio::awaitable<void> reads_stream(RawClient client) {
    client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = co_await client.read_until("0\r\n\r\n");
    EXPECT_NE(answer.find("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"),
              std::string::npos);
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    const auto old = co_await client.read_all();
    EXPECT_TRUE(old.ends_with("\r\n\r\nonetwothree")) << old;
}

TEST_F(ServerTest, StreamsInPieces) {
    routes_.add(route("GET", "/stream", stream_three));
    start();
    run(reads_stream(client()));
}

asio::awaitable<void> unfinished(Exchange& exchange) {
    co_await exchange.begin_stream(200, "text/plain");
    co_await exchange.write("half");
}

asio::awaitable<void> reads_unfinished(RawClient client) {
    client.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = co_await client.read_all();
    EXPECT_FALSE(answer.ends_with("0\r\n\r\n"));
}

TEST_F(ServerTest, AHandlerThatForgetsItsEndNeverLooksComplete) {
    routes_.add(route("GET", "/half", unfinished));
    start();
    run(reads_unfinished(client()));
}

asio::awaitable<void> sends_line_end_first(RawClient client) {
    client.send(
        "\r\nGET /echo/1 HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /echo/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto first = co_await client.read_until("|1");
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200"));
    const auto second = co_await client.read_until("|2");
    EXPECT_TRUE(second.starts_with("HTTP/1.1 200"));
}

TEST_F(ServerTest, PassesOverOneEmptyLineBeforeARequest) {
    start();
    run(sends_line_end_first(client()));
}

asio::awaitable<void> says_nothing(RawClient client) {
    const auto answer = co_await client.read_all();
    EXPECT_EQ(answer, "");
}

TEST_F(ServerTest, ClosesAConnectionOnWhichNothingComes) {
    config_.idle_timeout = std::chrono::hours(1);  // that is for those who have asked something
    start();
    run(says_nothing(client()));
}

/// A byte at a time, each seen by the server before the next is sent.
asio::awaitable<void> trickle(RawClient& client, std::string bytes) {
    const auto executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        client.send(bytes.substr(i, 1));
        for (int turn = 0; turn < 4; ++turn) {
            co_await asio::post(executor, asio::use_awaitable);
        }
    }
}

asio::awaitable<void> trickles(RawClient client) {
    const std::string answered("hello, world|x");
    const std::string post("POST /echo/x HTTP/1.1\r\nHost: x\r\n");
    co_await trickle(client, post + "Content-Length: 12\r\n\r\nhello, world");
    const auto first = co_await client.read_until(answered);
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200")) << first;
    co_await trickle(client,
                     post + "Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n");
    const auto second = co_await client.read_until(answered);
    EXPECT_TRUE(second.starts_with("HTTP/1.1 200")) << second;
    client.send("GET /echo/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto third = co_await client.read_until("|1");
    EXPECT_TRUE(third.starts_with("HTTP/1.1 200")) << third;
}

TEST_F(ServerTest, WhatTricklesIsTakenWithItsLastByte) {
    config_.header_timeout = config_.body_timeout = std::chrono::hours(1);
    start();
    run(trickles(client()));
}

/// Sends a byte now and then while it lives.
class Drip {
  public:
    Drip(RawClient& client, const asio::any_io_executor& executor)
        : client_(client), timer_(executor) {
        drip();
    }

  private:
    void drip() {
        timer_.expires_after(std::chrono::milliseconds(100));  // some each sweep
        timer_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) {
                client_.send("x");
                drip();
            }
        });
    }

    RawClient& client_;
    asio::steady_timer timer_;
};

/// Goes on with what it began until it is refused.
asio::awaitable<void> drips(RawClient client, std::string begin, std::string why) {
    client.send(begin);
    const auto executor = co_await asio::this_coro::executor;
    const Drip drip(client, executor);
    const auto answer = co_await client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
    EXPECT_NE(answer.find(why), std::string::npos) << answer;
}

TEST_F(ServerTest, ABodyThatNeverEndsIsCutThoughItNeverPauses) {
    start();
    run(drips(client(), "POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
              "too slowly"));
}

TEST_F(ServerTest, AHeadThatNeverEndsIsCutThoughItNeverPauses) {
    start();
    run(drips(client(), "GET /echo/x HTTP/1.1\r\nHost: x\r\nX-Slow: ", "in time"));
}

struct Gone {
    explicit Gone(const asio::any_io_executor& executor) : begun(executor), seen(executor) {}
    Signal begun;
    Signal seen;
};

asio::awaitable<void> waits_for_leaving(Exchange& exchange, Gone& gone) {
    exchange.on_gone([&gone] { gone.seen.notify(); });
    gone.begun.notify();
    co_await gone.seen.wait();
    EXPECT_TRUE(exchange.gone());
    gone.begun.notify();
    exchange.abort();
}

asio::awaitable<void> leaves(RawClient client, Gone& gone, std::string extra) {
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + extra);
    co_await gone.begun.wait();
    client.close();
    co_await gone.begun.wait();  // the handler has seen it
}

TEST_F(ServerTest, NoticesAClientThatLeaves) {
    Gone gone(loop_.get_executor());
    routes_.add(route("GET", "/wait", [&gone](Exchange& e) { return waits_for_leaving(e, gone); }));
    start();
    run(leaves(client(), gone, ""));
}

TEST_F(ServerTest, NoticesItBehindAPipelinedRequestToo) {
    Gone gone(loop_.get_executor());
    routes_.add(route("GET", "/wait", [&gone](Exchange& e) { return waits_for_leaving(e, gone); }));
    start();
    run(leaves(client(), gone, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
}

asio::awaitable<void> unauthorized(RawClient client) {
    client.send("POST /echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    const auto answer = co_await client.read_all();  // before any byte of the body was sent
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401"));
    EXPECT_NE(answer.find("www-authenticate: Bearer"), std::string::npos);
}

TEST_F(ServerTest, AsksForTheKeyBeforeTheBody) {
    authorize_ = [](const http::RequestHead&, const Route*, Scheme) -> Result<Caller> {
        return Error(Errc::invalid_api_key, "no key");
    };
    start();
    run(unauthorized(client()));
}

}  // namespace
}  // namespace routerd
