#include <chrono>
#include <string>

#include "daemon/http/server.hpp"
#include "daemon/net/signal.hpp"
#include "http_fixture.hpp"
#include "tests/support/certificate.hpp"
#include "tls_client.hpp"

namespace routerd {
namespace {

using test::RawClient;
using test::TlsClient;

constexpr std::size_t large = 4U << 20U;  // bytes: more than sockets hold

class TlsTest : public test::HttpTest {
  protected:
    TlsTest() {
        config_.max_body = 2 * large;
        config_.body_timeout = std::chrono::seconds(3);
        add("POST", "/echo", [](Exchange& exchange) -> asio::awaitable<void> {
            Response response;
            response.body = exchange.body();
            co_await exchange.respond(std::move(response));
        });
        add("GET", "/steps", [this](Exchange& exchange) -> asio::awaitable<void> {
            co_await exchange.begin_stream(200, "text/plain");
            co_await exchange.write("first");
            co_await step_.wait();
            co_await exchange.write("second");
            co_await exchange.finish_stream();
        });
        add("GET", "/endless", [this](Exchange& exchange) -> asio::awaitable<void> {
            const std::string piece(50'000, 'x');
            bool alive = co_await exchange.begin_stream(200, "text/plain");
            while (alive) {
                alive = co_await exchange.write(piece);
            }
            step_.notify();
        });
        add("GET", "/cut", [](Exchange& exchange) -> asio::awaitable<void> {
            co_await exchange.begin_stream(200, "text/plain");
            co_await exchange.write("half");
            exchange.abort();
        });
    }

    void add(const char* method, const char* pattern, Handler handler) {
        routes_.add(Route{method, pattern, Scope::open, std::move(handler), Dialect::openai});
    }

    void start_tls() {
        start();
        use("one");
        auto listener = Listener::open(io_, *parse_listen_address("https://127.0.0.1:0"));
        tls_port_ = listener->address().port;
        server_->listen(std::move(*listener), false);
    }

    void use(const std::string& name) {
        const auto files = test::make_certificate(folder_, name);
        server_->use(*TlsContext::load(files.certificate, files.key));
    }

    TlsClient tls_client() { return {loop_, tls_port_}; }

    test::TempDir folder_;
    std::uint16_t tls_port_ = 0;
    Signal step_{loop_.get_executor()};

    asio::awaitable<void> goes_on_as_the_certificate_changes();
    asio::awaitable<void> leaves_in_mid_stream();
};

std::string post(const std::string& body, const char* more = "") {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + more + "\r\n" + body;
}

asio::awaitable<void> answers(TlsClient client) {
    const bool shaken = co_await client.handshake();
    EXPECT_TRUE(shaken);
    EXPECT_EQ(client.protocol(), "http/1.1");
    EXPECT_EQ(client.server_name(), "one");
    co_await client.send(post("hello"));
    const auto first = co_await client.read_until("hello");
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n")) << first;
    co_await client.send(post("bye", "Connection: close\r\n"));
    const auto last = co_await client.read_all();
    EXPECT_TRUE(last.ends_with("\r\n\r\nbye")) << last;
    EXPECT_TRUE(client.ended_well());
}

TEST_F(TlsTest, AnswersAndEndsWell) {
    start_tls();
    EXPECT_TRUE(server_->addresses().back().starts_with("https://127.0.0.1:"));
    run(answers(tls_client()));
}

TEST_F(TlsTest, TakesBytesOneByOne) {
    start_tls();
    auto client = tls_client();
    client.cut_into(1);
    run(answers(std::move(client)));
}

TEST_F(TlsTest, SpeaksTls12) {
    start_tls();
    auto client = tls_client();
    SSL_set_max_proto_version(client.ssl(), TLS1_2_VERSION);
    run(answers(std::move(client)));
}

asio::awaitable<void> is_refused(TlsClient client) {
    const bool shaken = co_await client.handshake();
    EXPECT_FALSE(shaken);
}

TEST_F(TlsTest, RefusesOldVersions) {
    start_tls();
    auto client = tls_client();
    SSL_set_security_level(client.ssl(), 0);
    SSL_set_min_proto_version(client.ssl(), TLS1_1_VERSION);
    SSL_set_max_proto_version(client.ssl(), TLS1_1_VERSION);
    run(is_refused(std::move(client)));
}

TEST_F(TlsTest, RefusesOtherProtocols) {
    start_tls();
    auto client = tls_client();
    constexpr std::array<unsigned char, 3> only{2, 'h', '2'};
    SSL_set_alpn_protos(client.ssl(), only.data(), only.size());
    run(is_refused(std::move(client)));
}

asio::awaitable<void> is_told_of_tls(RawClient client) {
    client.send("GET /steps HTTP/1.1\r\nHost: x\r\n\r\nGET /cut HTTP/1.1\r\n\r\n");
    const auto answer = co_await client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_NE(answer.find("https://"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
}

TEST_F(TlsTest, TellsWhoSpeaksHttpWithoutIt) {
    start_tls();
    run(is_told_of_tls({loop_, tls_port_}));
}

asio::awaitable<void> moves_much(TlsClient client) {
    co_await client.handshake();
    std::string body(large, '.');
    for (std::size_t i = 0; i < body.size(); i += 61) {
        body[i] = static_cast<char>('a' + i % 26);
    }
    co_await client.send(post(body));
    const auto head = co_await client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << head;
    co_await client.send(post("marks the end"));
    const auto answer = co_await client.read_until("marks the end");
    EXPECT_TRUE(answer.starts_with(body)) << answer.substr(0, 100);
}

TEST_F(TlsTest, MovesLargeBodiesBothWays) {
    start_tls();
    run(moves_much(tls_client()));
}

TEST_F(TlsTest, MovesLargeBodiesOfOddPieces) {
    start_tls();
    auto client = tls_client();
    client.cut_into(30'011);
    run(moves_much(std::move(client)));
}

asio::awaitable<void> pipelines(TlsClient client) {
    co_await client.handshake();
    const auto third = post("three");
    co_await client.send(post("one") + post("two") + third.substr(0, 9));
    co_await client.read_until("one");
    const auto second = co_await client.read_until("two");
    EXPECT_TRUE(second.starts_with("HTTP/1.1 200")) << second;
    co_await client.send(third.substr(9));
    const auto answer = co_await client.read_until("three");
    EXPECT_TRUE(answer.ends_with("three")) << answer;
}

TEST_F(TlsTest, KeepsTheOrderOfPipelinedRequests) {
    start_tls();
    run(pipelines(tls_client()));
}

asio::awaitable<void> is_cut(TlsClient client) {
    co_await client.handshake();
    co_await client.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await client.read_all();
    EXPECT_FALSE(client.ended_well());
}

TEST_F(TlsTest, DoesNotCallAHalfAnswerAnEnd) {
    start_tls();
    run(is_cut(tls_client()));
}

asio::awaitable<void> TlsTest::leaves_in_mid_stream() {
    auto client = tls_client();
    co_await client.handshake();
    co_await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await client.read_until("xxx");
    client.close();
    co_await step_.wait();
}

TEST_F(TlsTest, NoticesAClientThatLeaves) {
    start_tls();
    run(leaves_in_mid_stream());
}

asio::awaitable<void> TlsTest::goes_on_as_the_certificate_changes() {
    auto old = tls_client();
    co_await old.handshake();
    co_await old.send("GET /steps HTTP/1.1\r\nHost: x\r\n\r\n");
    co_await old.read_until("first");
    use("two");
    auto fresh = tls_client();
    co_await fresh.handshake();
    EXPECT_EQ(fresh.server_name(), "two");
    step_.notify();
    const auto rest = co_await old.read_until("0\r\n\r\n");
    EXPECT_NE(rest.find("second"), std::string::npos);
    co_await old.send(post("again"));
    const auto again = co_await old.read_until("again");
    EXPECT_TRUE(again.starts_with("HTTP/1.1 200")) << again;
    EXPECT_EQ(old.server_name(), "one");
}

TEST_F(TlsTest, GoesOnAsTheCertificateChanges) {
    start_tls();
    run(goes_on_as_the_certificate_changes());
}

asio::awaitable<void> ends(RawClient client, std::string said) {
    const auto begun = std::chrono::steady_clock::now();
    client.send(said);
    co_await client.read_all();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
}

TEST_F(TlsTest, CutsASlowHandshake) {
    start_tls();
    const std::string begin("\x16\x03\x01\x02\x00\x01", 6);
    run(ends(RawClient(loop_, tls_port_), begin));
}

TEST_F(TlsTest, EndsWhatIsNotTls) {
    start_tls();
    run(ends(RawClient(loop_, tls_port_), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
}

asio::awaitable<void> leaves_at_once(RawClient client) {
    client.send(std::string("\x16\x03\x01\x02", 4));
    client.shutdown_send();
    const auto begun = std::chrono::steady_clock::now();
    co_await client.read_all();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(250));
}

TEST_F(TlsTest, NoticesAClientThatLeavesInTheHandshake) {
    start_tls();
    run(leaves_at_once(RawClient(loop_, tls_port_)));
}

TEST_F(TlsTest, RefusesTlsWhereItIsNotSpoken) {
    start_tls();
    run(is_refused(TlsClient(loop_, port_)));
}

}  // namespace
}  // namespace routerd
