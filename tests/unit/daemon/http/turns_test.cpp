// What one connection may do to others, and to itself, in one turn of the loop or at its end.
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/http/server.hpp"
#include "http_fixture.hpp"
#include "tests/support/rare_crowd.hpp"

namespace routerd {
namespace {

using test::RawClient;

constexpr int small_window = 4096;  // bytes that a client's socket takes

std::string get(const std::string& path, const char* more = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++found;
    }
    return found;
}

class TurnsTest : public test::HttpTest {
  protected:
    void answer(const std::string& path, std::function<std::string()> body) {
        routes_.add({"GET", path, Scope::open,
                     reply([body = std::move(body)](Exchange&) -> Result<Response> {
                         Response response;
                         response.body = body();
                         return response;
                     }),
                     Dialect::openai});
    }

    /// "/who" says how many have asked so far.
    void start_to_count() {
        answer("/", [] { return "here"; });
        answer("/who", [this] { return std::to_string(++asked_) + " came"; });
        start();
    }

    RawClient slow_client() { return {loop_, port_, small_window}; }

    asio::awaitable<void> turns(int many) {
        for (int i = 0; i < many; ++i) {
            co_await asio::post(loop_, asio::use_awaitable);
        }
    }

    asio::awaitable<void> is_answered(RawClient& client);
    asio::awaitable<void> is_read_after(const char* more);
    asio::awaitable<void> asks_beside_many();
    asio::awaitable<void> asks_after_new_ones();
    asio::awaitable<void> becomes_known(RawClient& client);
    asio::awaitable<void> asks_first(RawClient& client, const std::string& head);
    asio::awaitable<void> asks_little();
    asio::awaitable<void> trickles_and_asks();
    asio::awaitable<void> goes_to_another_loop(int before);
    asio::awaitable<void> go_to(Server& other);

    int asked_ = 0;
};

asio::awaitable<void> TurnsTest::is_answered(RawClient& client) {
    const auto answer = co_await client.read_until("here");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK")) << answer;
    client.close();
}

TEST_F(TurnsTest, AHeadByteByByteIsNotATurnForEach) {
    answer("/", [] { return "here"; });
    start();
    auto sender = client();
    const auto head = get("/", ("A: " + std::string(200, 'a') + "\r\n").c_str());
    std::size_t turns = 0;
    for (const char byte : head) {
        sender.send({&byte, 1});
        turns += loop_.poll();
    }
    EXPECT_LT(turns, head.size() / 2);
    run(is_answered(sender));
}

constexpr std::size_t much = 100'000;  // bytes: more than the client's socket takes, less than ours

asio::awaitable<void> TurnsTest::is_read_after(const char* more) {
    auto client = slow_client();
    client.send(get("/much", more));
    auto answer = co_await client.read_until("\r\n\r\n");
    while (server_->active() > 0) {
        co_await turns(1);
    }
    co_await turns(10);
    server_->drain();
    server_->cut();
    const auto rest = co_await client.read_all();
    answer += rest;
    EXPECT_EQ(count(answer, "#"), much);
    EXPECT_FALSE(client.reset());
}

TEST_F(TurnsTest, AnAnswerIsReadToItsEndThoughTheServerStops) {
    answer("/much", [] { return std::string(much, '#'); });
    start();
    run(is_read_after(""));
}

TEST_F(TurnsTest, AnAnswerBeforeACloseIsReadToItsEndThoughTheServerStops) {
    answer("/much", [] { return std::string(much, '#'); });
    start();
    run(is_read_after("Connection: close\r\n"));
}

asio::awaitable<void> TurnsTest::asks_beside_many() {
    auto greedy = client();
    auto other = client();
    std::string many;
    for (int i = 0; i < 600; ++i) {
        many += get("/more");
    }
    greedy.send(many);
    other.send(get("/how-many"));
    const auto answer = co_await other.read_until(" of them");
    const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
    EXPECT_LT(std::stoi(body), 100) << body;
}

TEST_F(TurnsTest, OneThatAsksAndAsksLetsOthersHaveTheirTurn) {
    int more = 0;
    answer("/more", [&more] { return std::to_string(++more); });
    answer("/how-many", [&more] { return std::to_string(more) + " of them"; });
    start();
    run(asks_beside_many());
}

/// By a first request of a client's.
asio::awaitable<void> TurnsTest::becomes_known(RawClient& client) {
    client.send(get("/"));
    const auto answer = co_await client.read_until("here");
    EXPECT_TRUE(answer.ends_with("here")) << answer;
}

asio::awaitable<void> TurnsTest::asks_after_new_ones() {
    constexpr std::size_t many = 5;
    const test::RareCrowd crowd(io_.poller());
    auto known = client();
    co_await becomes_known(known);
    std::vector<RawClient> new_ones;
    for (std::size_t i = 0; i < many; ++i) {
        new_ones.push_back(client());
    }
    while (server_->connections() <= many) {
        co_await turns(1);
    }
    for (auto& one : new_ones) {
        one.send(get("/who"));
    }
    known.send(get("/who"));
    const auto answer = co_await known.read_until(" came");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n1 came")) << answer;
    for (auto& one : new_ones) {
        co_await one.read_until(" came");
    }
}

TEST_F(TurnsTest, BesideACrowdThatTricklesWhoHasAskedBeforeDoesNotWaitForWhoIsNew) {
    start_to_count();
    run(asks_after_new_ones());
    EXPECT_EQ(asked_, 6);
}

/// And another client right behind, whose answer is the second.
asio::awaitable<void> TurnsTest::asks_first(RawClient& client, const std::string& head) {
    auto other = this->client();
    co_await becomes_known(other);
    client.send(head);
    other.send(get("/who"));
    const auto answer = co_await client.read_until(" came");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n1 came")) << answer;
    co_await other.read_until(" came");
}

asio::awaitable<void> TurnsTest::asks_little() {
    auto client = this->client();
    for (int i = 0; i < 10; ++i) {
        co_await becomes_known(client);
    }
    co_await asks_first(client, get("/who"));
}

TEST_F(TurnsTest, ManySmallRequestsAreNoTrickle) {
    start_to_count();
    run(asks_little());
}

/// A byte at a time, and then in earnest.
asio::awaitable<void> TurnsTest::trickles_and_asks() {
    auto client = this->client();
    for (const char byte : get("/")) {
        client.send({&byte, 1});
        co_await turns(5);
    }
    const auto answer = co_await client.read_until("here");
    EXPECT_TRUE(answer.ends_with("here")) << answer;
    co_await asks_first(client, get("/who"));
}

TEST_F(TurnsTest, WhoHasTrickledIsHeardAtOnceWhenItAsksAgain) {
    start_to_count();
    run(trickles_and_asks());
}

constexpr std::size_t piece = 3000;  // bytes: sent with others at a turn's end

/// `before` answers fill the client's socket and ours, at whose end the next request leaves for
/// another loop.
asio::awaitable<void> TurnsTest::goes_to_another_loop(int before) {
    auto client = slow_client();
    auto beside = this->client();  // so that turns have more than one event
    co_await becomes_known(client);
    co_await becomes_known(beside);
    std::string requests;
    for (int i = 0; i < before; ++i) {
        requests += get("/piece");
    }
    client.send(requests + get("/elsewhere", "Connection: close\r\n"));
    beside.send(get("/piece"));
    co_await beside.read_until(std::string(piece, 'p'));
    const auto all = co_await client.read_all();
    const auto heads = static_cast<std::size_t>(before) + 1;
    EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), heads);
    EXPECT_EQ(count(all, std::string(piece, 'p') + "HTTP/1.1"), heads - 1) << "before " << before;
}

asio::awaitable<void> TurnsTest::go_to(Server& other) {
    for (int before = 20; before < 80; ++before) {
        co_await goes_to_another_loop(before);
    }
    other.drain();
    co_await other.wait();
}

TEST_F(TurnsTest, WhatAnswersElsewhereComesBehindTheWholeOfTheAnswerBefore) {
    Routes elsewhere;
    elsewhere.add({"GET", "/elsewhere", Scope::open,
                   reply([](Exchange&) -> Result<Response> { return Response(); }),
                   Dialect::openai});
    Server other(io_, elsewhere, Server::Options{config_, {}, nullptr, nullptr});
    answer("/", [] { return "here"; });
    answer("/piece", [] { return std::string(piece, 'p'); });
    routes_.add({"GET", "/elsewhere", Scope::open, nullptr, Dialect::openai});
    pass_on_ = [&other](Arrival arrival) { other.serve(std::move(arrival)); };
    start();
    run(go_to(other));
}

}  // namespace
}  // namespace routerd
