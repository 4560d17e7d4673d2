#include "daemon/http/request_reader.hpp"

#include <algorithm>
#include <utility>

#include "common/base/units.hpp"
#include "common/http/chunked.hpp"
#include "daemon/http/error_response.hpp"

namespace routerd {
namespace {

using Found = http::ParseResult::State;

constexpr http::HeadLimits head_limits;
constexpr std::size_t trusted = 1U << 20U;  // bytes set aside on a client's word alone
constexpr std::size_t kept_between = 1024;  // bytes of a head's memory that are kept for more

/// As far as it has come: what can never be a head is refused at once, not when the time is up.
http::ParseResult look_for_head(std::string_view input, http::HeadScanner& scanner) {
    if (input == "\r") {
        return {};
    }
    const bool had_line = scanner.first_line() > 0;
    const auto found = scanner.scan(input, head_limits);
    const bool has_line = scanner.first_line() > 0;
    return found.state == Found::incomplete && has_line && !had_line
               ? http::check_request_line(input.substr(0, scanner.first_line()), head_limits)
               : found;
}

}  // namespace

bool RequestReader::refuse(unsigned status, std::string reason) {
    status_ = status;
    error_ = Error(status == 413   ? Errc::payload_too_large
                   : status == 408 ? Errc::deadline_exceeded
                                   : Errc::invalid_request,
                   std::move(reason));
    return false;
}

bool RequestReader::refuse_size(std::uint64_t size) {
    refuse(413, "the request body has " + format_bytes(size) + ", the limit is " +
                    format_bytes(config_.max_body));
    error_ = error_->with_hint("raise http.max_body");
    return false;
}

/// The connection gave nothing more.
bool RequestReader::fail(const Error& error, const char* too_late) {
    status_ = 0;
    return error.code() == Errc::deadline_exceeded && refuse(408, too_late);
}

std::optional<Response> RequestReader::refusal(Dialect dialect) const {
    if (status_ == 0 || !error_) {
        return std::nullopt;
    }
    auto response = error_response(*error_, dialect);
    response.status = status_;
    return response;
}

bool RequestReader::take_head(Connection& connection, Exchange::Request& request,
                              std::size_t length) {
    raw_.assign(connection.input().substr(0, length));
    connection.consume(length);
    const auto parsed = http::parse_request_head(raw_, head_limits, request.head);
    return parsed.state != Found::bad || refuse(parsed.status, std::string(parsed.reason));
}

asio::awaitable<bool> RequestReader::read_head(Connection& connection, Exchange::Request& request) {
    scanner_.reset();
    const auto deadline = connection.now() + config_.header_timeout;
    for (;;) {
        if (connection.input().starts_with("\r\n")) {
            connection.consume(2);  // RFC 9112 2.2: one that old clients send behind a body
            scanner_.reset();
        }
        const auto found = look_for_head(connection.input(), scanner_);
        if (found.state == Found::bad) {
            co_return refuse(found.status, std::string(found.reason));
        }
        if (found.state == Found::complete) {
            co_return take_head(connection, request, found.consumed);
        }
        const auto received = co_await connection.receive(deadline);
        if (!received) {
            co_return fail(received.error(), "the request's head did not come in time");
        }
    }
}

/// For a client that waits to be asked for its body.
asio::awaitable<bool> RequestReader::invite(Connection& connection) {
    const auto deadline = connection.now() + config_.body_timeout;
    const auto sent = co_await connection.send("HTTP/1.1 100 Continue\r\n\r\n", deadline);
    co_return sent || fail(sent.error(), "the client does not read");
}

asio::awaitable<bool> RequestReader::read_whole(Connection& connection, std::size_t length) {
    if (connection.input().size() < length) {
        connection.reserve(std::min(length, trusted));
    }
    while (connection.input().size() < length) {
        const auto received = co_await connection.receive(connection.now() + config_.body_timeout);
        if (!received) {
            co_return fail(received.error(), "the request's body did not come in time");
        }
    }
    co_return true;
}

asio::awaitable<bool> RequestReader::read_body(Connection& connection, Exchange::Request& request) {
    const auto& head = request.head;
    if (head.body == http::BodyKind::none) {
        co_return true;
    }
    if (head.body == http::BodyKind::length && head.content_length > config_.max_body) {
        co_return refuse_size(head.content_length);
    }
    if (head.expects_continue && connection.input().empty()) {
        const bool invited = co_await invite(connection);
        if (!invited) {
            co_return false;
        }
    }
    if (head.body == http::BodyKind::chunked) {
        co_return co_await read_chunked(connection, request);
    }
    const auto length = static_cast<std::size_t>(head.content_length);
    if (connection.input().size() < length) {
        const bool is_whole = co_await read_whole(connection, length);
        if (!is_whole) {
            co_return false;
        }
    }
    request.body = connection.input().substr(0, length);
    request.held = length;
    co_return true;
}

/// Decodes in place: the data moves up to where the framing before it was.
asio::awaitable<bool> RequestReader::read_chunked(Connection& connection,
                                                  Exchange::Request& request) {
    http::ChunkedDecoder decoder;
    std::size_t decoded = 0;
    std::size_t taken = 0;
    for (;;) {
        while (taken < connection.input().size() && !decoder.done() && !decoder.bad()) {
            const auto step = decoder.next(connection.input().substr(taken));
            std::copy(step.data.begin(), step.data.end(), connection.mutable_input() + decoded);
            decoded += step.data.size();
            taken += step.consumed;
            if (decoded + decoder.chunk_left() > config_.max_body) {
                co_return refuse_size(decoded + decoder.chunk_left());
            }
        }
        if (decoder.bad()) {
            co_return refuse(400, "request body: " + std::string(decoder.fault()));
        }
        if (decoder.done()) {
            request.body = connection.input().substr(0, decoded);
            request.held = taken;
            co_return true;
        }
        connection.truncate(decoded);
        taken = decoded;
        const auto received = co_await connection.receive(connection.now() + config_.body_timeout);
        if (!received) {
            co_return fail(received.error(), "the request's body did not come in time");
        }
    }
}

void RequestReader::shrink(Exchange::Request& request) {
    if (raw_.capacity() > kept_between) {
        raw_ = {};
        request.head.fields = {};
    }
}

}  // namespace routerd
