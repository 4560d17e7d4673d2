#include "daemon/http/server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/http/chunked.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/http/status.hpp"

namespace routerd {
namespace {

using std::chrono::steady_clock;

constexpr http::HeadLimits head_limits;
constexpr std::size_t body_room = 64U << 10U;  // bytes read at once of a larger body

/// A client's own id is kept when it is short and cannot do harm in a log line or a header.
bool is_sane_id(std::string_view id) noexcept {
    constexpr std::size_t longest = 128;
    return !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

std::string new_request_id() {
    static thread_local std::mt19937_64 random{std::random_device{}()};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id = "req-";
    for (auto bits = random(); id.size() < 20; bits >>= 4U) {
        id += digits[bits & 0xFU];
    }
    return id;
}

/// Refused before there is a request to answer in its own dialect.
struct BadHead {
    unsigned status = 0;  // 0: nothing to say, the client left
    std::string reason;
};

}  // namespace

/// What a session keeps from request to request, so that its memory is reused.
struct Server::Served {
    Exchange::Request request;
    http::HeadScanner scanner;
    std::string raw;  // the head's bytes: request.head has views into it
    BadHead bad;
};

Server::Server(const asio::any_io_executor& executor, const Routes& routes, Options options)
    : executor_(executor),
      routes_(routes),
      options_(std::move(options)),
      deadlines_(executor),
      tasks_(executor, "http session") {}

void Server::listen(Listener listener, bool is_control) {
    auto& bound = listeners_.emplace_back(Bound{std::move(listener), is_control});
    tasks_.spawn(bound.listener.run([this, is_control](Socket socket) {
        tasks_.spawn(session(std::move(socket), is_control));
    }));
}

std::vector<std::string> Server::addresses() const {
    std::vector<std::string> result;
    for (const auto& bound : listeners_) {
        const auto place = bound.is_control ? result.begin() : result.end();
        const auto& address = bound.listener.address();
        result.insert(place, (address.is_unix() ? "" : "http://") + address.text());
    }
    return result;
}

void Server::drain() {
    draining_ = true;
    for (auto& bound : listeners_) {
        bound.listener.close();
    }
    const auto idle = idle_;
    for (auto* connection : idle) {
        connection->abort();
    }
    if (active_ == 0 && on_drained_) {
        on_drained_();
    }
}

void Server::cut() {
    const auto all = connections_;
    for (auto* connection : all) {
        connection->abort();
    }
}

asio::awaitable<void> Server::wait() {
    co_await tasks_.wait();
    listeners_.clear();
}

asio::awaitable<void> Server::session(Socket socket, bool is_control) {
    Connection connection(std::move(socket), deadlines_, is_control);
    connections_.insert(&connection);
    Served served;
    try {
        bool more = true;
        while (more) {
            more = co_await serve_one(connection, served);
        }
    } catch (const std::exception& e) {
        spdlog::error("request {}: {}", served.request.id, e.what());
        connection.abort();
    }
    co_await connection.settle();
    connections_.erase(&connection);
}

asio::awaitable<Result<void>> Server::read_head(Connection& connection, Served& served) {
    served.scanner.reset();
    served.bad = {};
    auto deadline = steady_clock::now() + options_.http.idle_timeout;
    bool begun = !connection.input().empty();
    if (begun) {
        deadline = steady_clock::now() + options_.http.header_timeout;
    }
    for (;;) {
        const auto found = served.scanner.scan(connection.input(), head_limits);
        if (found.state == http::ParseResult::State::bad) {
            served.bad = {found.status, std::string(found.reason)};
            co_return Error(Errc::invalid_request, served.bad.reason);
        }
        if (found.state == http::ParseResult::State::complete) {
            served.raw.assign(connection.input().substr(0, found.consumed));
            connection.consume(found.consumed);
            break;
        }
        idle_.insert(&connection);
        if (begun) {
            idle_.erase(&connection);
        }
        const auto received =
            co_await connection.receive(connection.input().size() + 2048, deadline);
        idle_.erase(&connection);
        if (!received) {
            if (begun && received.error().code() == Errc::deadline_exceeded) {
                served.bad = {408, "the request's head did not come in time"};
            }
            co_return received.error();
        }
        if (!begun) {
            begun = true;
            deadline = steady_clock::now() + options_.http.header_timeout;
        }
    }
    const auto parsed = http::parse_request_head(served.raw, head_limits, served.request.head);
    if (parsed.state == http::ParseResult::State::bad) {
        served.bad = {parsed.status, std::string(parsed.reason)};
        co_return Error(Errc::invalid_request, served.bad.reason);
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<Result<void>> Server::read_body(Connection& connection, Served& served) {
    auto& request = served.request;
    request.body.clear();
    if (request.head.body == http::BodyKind::none) {
        co_return boost::system::in_place_value;
    }
    const auto limit = options_.http.max_body;
    if (request.head.body == http::BodyKind::length && request.head.content_length > limit) {
        co_return Error(Errc::payload_too_large, "the request body has " +
                                                     format_bytes(request.head.content_length) +
                                                     ", the limit is " + format_bytes(limit))
            .with_hint("raise http.max_body");
    }
    if (request.head.expects_continue && connection.input().empty()) {
        const auto sent = co_await connection.send(
            "HTTP/1.1 100 Continue\r\n\r\n", steady_clock::now() + options_.http.body_timeout);
        if (!sent) {
            co_return sent.error();
        }
    }
    if (request.head.body == http::BodyKind::chunked) {
        auto read = co_await read_chunked(connection, served);
        co_return read;
    }
    const auto length = static_cast<std::size_t>(request.head.content_length);
    constexpr std::size_t trusted = 1U << 20U;  // bytes set aside on the client's word alone
    request.body.reserve(std::min(length, trusted));
    for (;;) {
        const auto piece = connection.input().substr(0, length - request.body.size());
        request.body.append(piece);
        connection.consume(piece.size());
        if (request.body.size() == length) {
            co_return boost::system::in_place_value;
        }
        const auto received =
            co_await connection.receive(std::min(body_room, length - request.body.size()),
                                        steady_clock::now() + options_.http.body_timeout);
        if (!received) {
            co_return received.error();
        }
    }
}

asio::awaitable<Result<void>> Server::read_chunked(Connection& connection, Served& served) {
    auto& body = served.request.body;
    http::ChunkedDecoder decoder;
    for (;;) {
        while (!connection.input().empty() && !decoder.done() && !decoder.bad()) {
            const auto step = decoder.next(connection.input());
            body.append(step.data);
            connection.consume(step.consumed);
            if (body.size() > options_.http.max_body) {
                co_return Error(Errc::payload_too_large, "the request body is over the limit of " +
                                                             format_bytes(options_.http.max_body))
                    .with_hint("raise http.max_body");
            }
        }
        if (decoder.bad()) {
            co_return Error(Errc::invalid_request, "request body: " + std::string(decoder.fault()));
        }
        if (decoder.done()) {
            co_return boost::system::in_place_value;
        }
        const auto received = co_await connection.receive(
            body_room, steady_clock::now() + options_.http.body_timeout);
        if (!received) {
            co_return received.error();
        }
    }
}

asio::awaitable<void> Server::dispatch(Exchange& exchange, Served& served) {
    auto& request = served.request;
    auto match = routes_.find(request.head.method, request.head.path);
    request.params = std::move(match.params);
    if (!exchange.is_control() && options_.authorize) {
        auto allowed = options_.authorize(request.head, match.route);
        if (!allowed) {
            exchange.mark_close();  // its body stays unread
            co_await exchange.respond(allowed.error());
            co_return;
        }
        request.key = std::move(*allowed);
    }
    if (match.route == nullptr) {
        const bool wrong_method = match.path_known;
        const auto what = std::string(request.head.method) + " " + escaped(request.path);
        const Error error(Errc::invalid_request, wrong_method
                                                     ? what + ": this path takes " + match.allow
                                                     : "there is no path " + escaped(request.path));
        auto response = error_response(error, request.dialect);
        response.status = 404;
        if (wrong_method) {
            response.status = 405;
            response.headers.emplace_back("allow", match.allow);
        }
        if (request.head.body != http::BodyKind::none) {
            exchange.mark_close();
        }
        co_await exchange.respond(std::move(response));
        co_return;
    }
    const auto read = co_await read_body(exchange.connection(), served);
    if (!read) {
        exchange.mark_close();
        if (read.error().code() == Errc::cancelled) {
            exchange.abort();
            co_return;
        }
        auto response = error_response(read.error(), request.dialect);
        if (read.error().code() == Errc::deadline_exceeded) {
            response.status = 408;
        }
        co_await exchange.respond(std::move(response));
        co_return;
    }
    co_await match.route->handler(exchange);
}

asio::awaitable<bool> Server::serve_one(Connection& connection, Served& served) {
    auto& request = served.request;
    const auto head = co_await read_head(connection, served);
    request.id = {};
    if (!head) {
        if (served.bad.status != 0) {
            request.head.keep_alive = false;
            request.head.minor_version = 1;
            request.head.method = "GET";
            request.id = new_request_id();
            Exchange exchange(connection, request, {});
            auto response =
                error_response(Error(Errc::invalid_request, served.bad.reason), Dialect::openai);
            response.status = served.bad.status;
            co_await exchange.respond(std::move(response));
            co_await connection.finish();
        }
        co_return false;
    }
    const auto given = request.head.find("x-request-id");
    request.id = given && is_sane_id(*given) ? std::string(*given) : new_request_id();
    request.path = http::percent_decode(request.head.path).value_or(std::string(request.head.path));
    request.dialect = dialect_of(request.head.path);
    if (draining_) {
        request.head.keep_alive = false;
    }
    const auto begun = steady_clock::now();
    ++active_;
    Exchange exchange(connection, request, {});
    try {
        co_await dispatch(exchange, served);
    } catch (const std::exception& e) {
        spdlog::error("{} {} {}: {}", request.id, request.head.method, escaped(request.path),
                      e.what());
        exchange.mark_close();
    }
    if (!exchange.finished()) {
        if (exchange.head_sent()) {
            exchange.abort();
        } else {
            co_await exchange.respond(Error(Errc::internal, "no answer"));
        }
    }
    connection.on_gone(nullptr);
    --active_;
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begun);
    spdlog::debug("{} {} {} {} {} ms", request.id, request.head.method, escaped(request.path),
                  exchange.status(), took.count());
    if (draining_ && active_ == 0 && on_drained_) {
        on_drained_();
    }
    if (!request.head.keep_alive && !connection.gone()) {
        co_await connection.finish();
    }
    co_return request.head.keep_alive && !draining_ && !connection.gone();
}

}  // namespace routerd
