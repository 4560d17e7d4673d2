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

namespace routerd {
namespace {

constexpr http::HeadLimits head_limits;
constexpr std::size_t trusted = 1U << 20U;  // bytes set aside on a client's word alone
constexpr std::size_t kept_between = 1024;  // bytes of a session's memory that are kept for more

/// A client's own id is kept when it is short and cannot do harm in a log line or a header.
bool is_sane_id(std::string_view id) noexcept {
    constexpr std::size_t longest = 128;
    return !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

void set_new_request_id(std::string& id) {
    static thread_local std::mt19937_64 random{std::random_device{}()};
    constexpr std::string_view digits = "0123456789abcdef";
    id = "req-";
    for (auto bits = random(); id.size() < 20; bits >>= 4U) {
        id += digits[bits & 0xFU];
    }
}

/// As far as it has come: what can never be a head is refused at once, not when the time is up.
http::ParseResult look_for_head(std::string_view input, http::HeadScanner& scanner) {
    if (input == "\r") {
        return {};
    }
    const bool had_line = scanner.first_line() > 0;
    const auto found = scanner.scan(input, head_limits);
    const bool has_line = scanner.first_line() > 0;
    return found.state == http::ParseResult::State::incomplete && has_line && !had_line
               ? http::check_request_line(input.substr(0, scanner.first_line()), head_limits)
               : found;
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
    bool is_first = true;  // nothing was asked on this connection yet
};

Server::Server(IoLoop& loop, const Routes& routes, Options options)
    : loop_(loop),
      routes_(routes),
      options_(std::move(options)),
      tasks_(loop.executor(), "http session") {}

void Server::listen(Listener listener, bool is_control) {
    auto& bound = listeners_.emplace_back(Bound{std::move(listener), is_control});
    tasks_.spawn(
        bound.listener.run([this, &bound](UniqueFd socket) { admit(std::move(socket), bound); }));
}

void Server::admit(UniqueFd socket, const Bound& bound) {
    std::unique_ptr<TlsSession> tls;
    if (bound.listener.address().tls) {
        tls = tls_ ? tls_->accept(socket.get()) : nullptr;
        if (tls == nullptr) {
            return spdlog::warn("accept on {}: out of memory", bound.listener.address().url());
        }
    }
    tasks_.spawn(session(std::move(socket), bound.is_control, std::move(tls)));
}

std::vector<std::string> Server::addresses() const {
    std::vector<std::string> result;
    for (const auto& bound : listeners_) {
        const auto place = bound.is_control ? result.begin() : result.end();
        result.insert(place, bound.listener.address().url());
    }
    return result;
}

void Server::drain() {
    draining_ = true;
    for (auto& bound : listeners_) {
        bound.listener.close();
    }
    const auto all = connections_;
    for (auto* connection : all) {
        if (connection->is_idle()) {
            connection->abort();
        }
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

asio::awaitable<void> Server::session(UniqueFd socket, bool is_control,
                                      std::unique_ptr<TlsSession> tls) {
    Connection connection(std::move(socket), loop_, is_control, std::move(tls));
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
    connections_.erase(&connection);
}

Result<void> Server::take_head(Connection& connection, Served& served, std::size_t length) {
    served.raw.assign(connection.input().substr(0, length));
    connection.consume(length);
    const auto parsed = http::parse_request_head(served.raw, head_limits, served.request.head);
    if (parsed.state == http::ParseResult::State::bad) {
        served.bad = {parsed.status, std::string(parsed.reason)};
        return Error(Errc::invalid_request, served.bad.reason);
    }
    return {};
}

asio::awaitable<Result<void>> Server::read_head(Connection& connection, Served& served) {
    served.scanner.reset();
    bool begun = !connection.input().empty();
    // Who connects says something soon; who has been served may keep the connection for more.
    const auto patience =
        begun || served.is_first ? options_.http.header_timeout : options_.http.idle_timeout;
    auto deadline = loop_.now() + patience;
    for (;;) {
        if (connection.input().starts_with("\r\n")) {
            connection.consume(2);  // RFC 9112 2.2: one that old clients send behind a body
            served.scanner.reset();
        }
        const auto found = look_for_head(connection.input(), served.scanner);
        if (found.state == http::ParseResult::State::bad) {
            served.bad = {found.status, std::string(found.reason)};
            co_return Error(Errc::invalid_request, served.bad.reason);
        }
        if (found.state == http::ParseResult::State::complete) {
            co_return take_head(connection, served, found.consumed);
        }
        connection.set_idle(!begun);
        const auto received = co_await connection.receive(deadline);
        connection.set_idle(false);
        if (!received) {
            if (begun && received.error().code() == Errc::deadline_exceeded) {
                served.bad = {408, "the request's head did not come in time"};
            }
            co_return received.error();
        }
        if (!begun) {
            begun = true;
            deadline = loop_.now() + options_.http.header_timeout;
        }
    }
}

Error Server::too_large(std::uint64_t size) const {
    return Error(Errc::payload_too_large, "the request body has " + format_bytes(size) +
                                              ", the limit is " +
                                              format_bytes(options_.http.max_body))
        .with_hint("raise http.max_body");
}

asio::awaitable<Result<void>> Server::read_body(Connection& connection, Served& served) {
    auto& request = served.request;
    if (request.head.body == http::BodyKind::none) {
        co_return boost::system::in_place_value;
    }
    if (request.head.body == http::BodyKind::length &&
        request.head.content_length > options_.http.max_body) {
        co_return too_large(request.head.content_length);
    }
    if (request.head.expects_continue && connection.input().empty()) {
        const auto sent = co_await connection.send("HTTP/1.1 100 Continue\r\n\r\n",
                                                   loop_.now() + options_.http.body_timeout);
        if (!sent) {
            co_return sent.error();
        }
    }
    if (request.head.body == http::BodyKind::chunked) {
        auto read = co_await read_chunked(connection, served);
        co_return read;
    }
    const auto length = static_cast<std::size_t>(request.head.content_length);
    if (connection.input().size() < length) {
        connection.reserve(std::min(length, trusted));
    }
    while (connection.input().size() < length) {
        const auto received = co_await connection.receive(loop_.now() + options_.http.body_timeout);
        if (!received) {
            co_return received.error();
        }
    }
    request.body = connection.input().substr(0, length);
    request.held = length;
    co_return boost::system::in_place_value;
}

/// Decodes in place: the data moves up to where the framing before it was.
asio::awaitable<Result<void>> Server::read_chunked(Connection& connection, Served& served) {
    http::ChunkedDecoder decoder;
    std::size_t decoded = 0;
    std::size_t taken = 0;
    for (;;) {
        while (taken < connection.input().size() && !decoder.done() && !decoder.bad()) {
            const auto step = decoder.next(connection.input().substr(taken));
            std::copy(step.data.begin(), step.data.end(), connection.mutable_input() + decoded);
            decoded += step.data.size();
            taken += step.consumed;
            if (decoded + decoder.chunk_left() > options_.http.max_body) {
                co_return too_large(decoded + decoder.chunk_left());
            }
        }
        if (decoder.bad()) {
            co_return Error(Errc::invalid_request, "request body: " + std::string(decoder.fault()));
        }
        if (decoder.done()) {
            served.request.body = connection.input().substr(0, decoded);
            served.request.held = taken;
            co_return boost::system::in_place_value;
        }
        connection.truncate(decoded);
        taken = decoded;
        const auto received = co_await connection.receive(loop_.now() + options_.http.body_timeout);
        if (!received) {
            co_return received.error();
        }
    }
}

asio::awaitable<void> Server::dispatch(Exchange& exchange, Served& served) {
    auto& request = served.request;
    auto match = routes_.find(request.head.method, request.head.path);
    request.params = std::move(match.params);
    request.route = match.route == nullptr ? std::string_view() : match.route->pattern;
    if (!exchange.is_control() && options_.authorize) {
        const auto scheme = exchange.connection().is_tls() ? Scheme::https : Scheme::http;
        auto allowed = options_.authorize(request.head, match.route, scheme);
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

/// Lets go of what one large request took, so that a connection that waits holds little.
void Server::clean_up(Connection& connection, Served& served) {
    auto& request = served.request;
    request.body = {};
    connection.consume(std::exchange(request.held, 0));
    request.params.clear();
    if (served.raw.capacity() > kept_between) {
        served.raw = {};
        request.head.fields = {};
    }
    served.is_first = false;
}

asio::awaitable<bool> Server::serve_one(Connection& connection, Served& served) {
    auto& request = served.request;
    served.bad.status = 0;
    const auto head = co_await read_head(connection, served);
    if (!head) {
        if (served.bad.status != 0) {
            request.head.keep_alive = false;
            request.head.minor_version = 1;
            request.head.method = "GET";
            request.head.body = http::BodyKind::none;
            set_new_request_id(request.id);
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
    if (given && is_sane_id(*given)) {
        request.id = *given;
    } else {
        set_new_request_id(request.id);
    }
    request.path = request.head.path;
    if (request.path.find('%') != std::string::npos) {
        request.path = http::percent_decode(request.head.path).value_or(request.path);
    }
    request.dialect = dialect_of(request.head.path);
    if (draining_) {
        request.head.keep_alive = false;
    }
    const auto begun = loop_.now();
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
    if (spdlog::should_log(spdlog::level::debug)) {
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - begun);
        spdlog::debug("{} {} {} {} {} ms", request.id, request.head.method, escaped(request.path),
                      exchange.status(), took.count());
    }
    clean_up(connection, served);
    if (draining_ && active_ == 0 && on_drained_) {
        on_drained_();
    }
    if (!request.head.keep_alive && !connection.gone()) {
        co_await connection.finish();
    }
    co_return request.head.keep_alive && !draining_ && !connection.gone();
}

}  // namespace routerd
