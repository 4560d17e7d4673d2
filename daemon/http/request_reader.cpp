#include "daemon/http/request_reader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/free_memory.hpp"
#include "common/base/units.hpp"
#include "common/http/chunked.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

using Found = http::ParseResult::State;

constexpr http::HeadLimits head_limits;
constexpr std::size_t trusted = (1U << 20U) + 1;  // bytes set aside on a client's word alone
constexpr std::size_t slowest_body = 512;   // bytes a second; what seems slower is meant to hold us
constexpr std::size_t kept_between = 1024;  // bytes of a head's memory that are kept for more

/// How many bytes a head must still get to be whole, at least: it ends with an empty line.
std::size_t missing_of_head(std::string_view input) noexcept {
    constexpr std::string_view end = "\r\n\r\n";
    auto there = end.size() - 1;
    while (there > 0 && !input.ends_with(end.substr(0, there))) {
        --there;
    }
    return end.size() - there;
}

/// As far as it has come: what can never be a head is refused at once, not when the time is up.
http::ParseResult scan_head(std::string_view input, http::HeadScanner& scanner) {
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

RequestReader::Step RequestReader::refuse(unsigned status, std::string reason, std::string hint) {
    status_ = status;
    error_ = Error(status == 413   ? Errc::payload_too_large
                   : status == 408 ? Errc::deadline_exceeded
                                   : Errc::invalid_request,
                   std::move(reason))
                 .with_hint(std::move(hint));
    return Step::refused;
}

RequestReader::Step RequestReader::refuse_size(std::uint64_t size) {
    return refuse(413,
                  "the request body has " + format_bytes(size) + ", the limit is " +
                      format_bytes(config_.max_body),
                  "raise http.max_body");
}

/// The connection gave nothing more.
void RequestReader::note_end(const Error& error, const char* too_late) {
    status_ = 0;
    if (error.code() == Errc::deadline_exceeded) {
        refuse(408, too_late);
    }
}

std::optional<Response> RequestReader::refusal(Dialect dialect) const {
    if (status_ == 0 || !error_) {
        return std::nullopt;
    }
    auto response = error_response(*error_, dialect);
    response.status = status_;
    return response;
}

RequestReader::Step RequestReader::take_head(Connection& connection, Exchange::Request& request) {
    scanner_.reset();
    return look_for_head(connection, request);
}

RequestReader::Step RequestReader::look_for_head(Connection& connection,
                                                 Exchange::Request& request) {
    if (connection.input().starts_with("\r\n")) {
        connection.consume(2);  // RFC 9112 2.2: one that old clients send behind a body
        scanner_.reset();
    }
    const auto found = scan_head(connection.input(), scanner_);
    if (found.state == Found::bad) {
        return refuse(found.status, std::string(found.reason));
    }
    if (found.state == Found::incomplete) {
        return Step::partly;
    }
    raw_.assign(connection.input().substr(0, found.consumed));
    connection.consume(found.consumed);
    connection.has_asked();
    const auto parsed = http::parse_request_head(raw_, head_limits, request.head);
    return parsed.state == Found::bad ? refuse(parsed.status, std::string(parsed.reason))
                                      : Step::whole;
}

asio::awaitable<bool> RequestReader::read_head(Connection& connection, Exchange::Request& request) {
    const auto deadline = turn_now() + config_.header_timeout;
    for (;;) {
        const auto received =
            co_await connection.receive(deadline, missing_of_head(connection.input()));
        if (!received) {
            note_end(received.error(), "the request's head did not come in time");
            co_return false;
        }
        const auto step = look_for_head(connection, request);
        if (step != Step::partly) {
            co_return step == Step::whole;
        }
    }
}

RequestReader::Step RequestReader::take_body(Connection& connection, Exchange::Request& request) {
    const auto& head = request.head;
    if (head.body == http::BodyKind::none) {
        return Step::whole;
    }
    if (head.body == http::BodyKind::length && head.content_length > config_.max_body) {
        return refuse_size(head.content_length);
    }
    decoder_.reset();
    decoded_ = taken_ = 0;
    return look_for_body(connection, request);
}

RequestReader::Step RequestReader::look_for_body(Connection& connection,
                                                 Exchange::Request& request) {
    if (request.head.body == http::BodyKind::chunked) {
        return decode(connection, request);
    }
    const auto length = static_cast<std::size_t>(request.head.content_length);
    if (connection.input().size() < length) {
        // One byte more: that it stays empty says that there is nothing more to read now.
        connection.reserve(std::min(length + 1, trusted));
        return Step::partly;
    }
    request.body = connection.input().substr(0, length);
    request.held = length;
    return Step::whole;
}

/// In place: the data moves up to where the framing before it was.
RequestReader::Step RequestReader::decode(Connection& connection, Exchange::Request& request) {
    while (taken_ < connection.input().size() && !decoder_.done() && !decoder_.bad()) {
        const auto step = decoder_.next(connection.input().substr(taken_));
        std::copy(step.data.begin(), step.data.end(), connection.mutable_input() + decoded_);
        decoded_ += step.data.size();
        taken_ += step.consumed;
        if (decoded_ + decoder_.chunk_left() > config_.max_body) {
            return refuse_size(decoded_ + decoder_.chunk_left());
        }
    }
    if (decoder_.bad()) {
        return refuse(400, "request body: " + std::string(decoder_.fault()));
    }
    if (!decoder_.done()) {
        connection.truncate(decoded_);
        taken_ = decoded_;
        return Step::partly;
    }
    request.body = connection.input().substr(0, decoded_);
    request.held = taken_;
    return Step::whole;
}

/// How many bytes the body must still get to be whole, at least.
std::uint64_t RequestReader::missing_of_body(const Connection& connection,
                                             const http::RequestHead& head) const noexcept {
    return head.body == http::BodyKind::length ? head.content_length - connection.input().size()
                                               : decoder_.chunk_left() + 1;
}

/// For a client that waits to be asked for its body.
asio::awaitable<bool> RequestReader::invite(Connection& connection) {
    const auto sent =
        co_await connection.send("HTTP/1.1 100 Continue\r\n\r\n", config_.body_timeout);
    if (!sent) {
        note_end(sent.error(), "the client does not read");
    }
    co_return sent.has_value();
}

asio::awaitable<bool> RequestReader::read_body(Connection& connection, Exchange::Request& request) {
    if (request.head.expects_continue && connection.input().empty()) {
        const bool invited = co_await invite(connection);
        if (!invited) {
            co_return false;
        }
    }
    const auto began = turn_now();
    for (;;) {
        const std::chrono::seconds earned(connection.input().size() / slowest_body);
        const auto latest = began + config_.body_timeout + earned;
        if (latest <= turn_now()) {
            refuse(408, "the request's body came too slowly, at less than " +
                            format_bytes(slowest_body) + " a second");
            co_return false;
        }
        const auto received =
            co_await connection.receive(std::min(turn_now() + config_.body_timeout, latest),
                                        missing_of_body(connection, request.head));
        if (!received) {
            note_end(received.error(), "the request's body did not come in time");
            co_return false;
        }
        const auto step = look_for_body(connection, request);
        if (step != Step::partly) {
            co_return step == Step::whole;
        }
    }
}

void RequestReader::shrink(Exchange::Request& request) {
    if (raw_.capacity() > kept_between) {
        free_memory(raw_);
        free_memory(request.head.fields);
    }
    if (request.extra.capacity() > kept_between) {
        free_memory(request.extra);
    }
}

}  // namespace routerd
