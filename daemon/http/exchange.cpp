#include "daemon/http/exchange.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "common/base/free_memory.hpp"
#include "common/base/text_writer.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/http/status.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

const std::string no_value;
constexpr std::size_t usual_extra = 200;  // bytes of header lines
constexpr std::size_t usual_head = 512;   // bytes

/// RFC 9110 5.6.7; made anew once a second.
const std::string& date_line() {
    static thread_local std::time_t made = 0;
    static thread_local std::string line;
    const auto now = std::chrono::system_clock::to_time_t(turn_wall_now());
    if (now != made) {
        made = now;
        std::tm utc{};
        ::gmtime_r(&now, &utc);
        std::array<char, 64> text{};
        const auto length =
            std::strftime(text.data(), text.size(), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
        line.assign(text.data(), length);
    }
    return line;
}

}  // namespace

const std::string& Exchange::param(std::string_view name) const noexcept {
    for (const auto& [key, value] : request_.params) {
        if (key == name) {
            return value;
        }
    }
    return no_value;
}

std::optional<std::string> Exchange::query(std::string_view name) const {
    return http::query_value(request_.head.query, name);
}

void Exchange::release_request() noexcept {
    free_memory(request_.head.fields);
    free_memory(request_.extra);
    request_.body = {};
    connection_.consume(std::exchange(request_.held, 0));
    connection_.release(connection_.input().size());
}

void Exchange::add_header(std::string_view name, std::string_view value) {
    auto& lines = request_.extra;
    if (lines.capacity() < usual_extra) {
        lines.reserve(usual_extra);  // once, in place of doubling
    }
    TextWriter writer(lines, name.size() + value.size() + 4);
    writer.add(name, ": ", value, "\r\n");
}

TimePoint Exchange::send_deadline() const noexcept {
    return turn_now() + limits_.send_timeout;
}

void Exchange::mark_head_sent(unsigned status) noexcept {
    head_sent_ = true;
    status_ = status;
}

void Exchange::write_head(std::string& head, unsigned status, std::string_view content_type,
                          std::string_view framing) const {
    TextWriter writer(head, usual_head);
    writer.add("HTTP/1.1 ", Decimal(status).text(), " ", reason_phrase(status), "\r\n",
               date_line());
    if (!content_type.empty()) {
        writer.add("content-type: ", content_type, "\r\n");
    }
    writer.add(framing, "x-request-id: ", request_.id, "\r\n", request_.extra);
    if (!request_.head.keep_alive) {
        writer.add("connection: close\r\n");
    } else if (request_.head.minor_version == 0) {
        writer.add("connection: keep-alive\r\n");
    }
    writer.add("\r\n");
}

asio::awaitable<void> Exchange::respond(Response response) {
    for (const auto& [name, value] : response.headers) {
        add_header(name, value);
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    const LengthLine framing(response.body.size());
    std::string head;
    write_head(head, response.status, bodiless ? "" : response.content_type,
               bodiless ? "" : framing.text());
    mark_head_sent(response.status);
    mark_finished();
    std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(response.body)};
    const std::span<asio::const_buffer> whole(pieces);
    const auto to_send = whole.first(bodiless || is_head_request() ? 1 : 2);
    const auto sent = co_await connection_.send(to_send, limits_.send_timeout);
    if (!sent) {
        connection_.abort();
    }
}

asio::awaitable<void> Exchange::refuse(Response response) {
    if (!request_.head.keep_alive) {
        connection_.will_finish();
    }
    co_await respond(std::move(response));
}

asio::awaitable<void> Exchange::respond(const Error& error) {
    auto response = error_response(error, dialect());
    co_await respond(std::move(response));
}

asio::awaitable<bool> Exchange::begin_stream(unsigned status, std::string_view content_type) {
    chunked_ = request_.head.minor_version == 1;
    if (!chunked_) {
        mark_close();
    }
    add_header("cache-control", "no-cache");
    std::string head;
    write_head(head, status, content_type, chunked_ ? "transfer-encoding: chunked\r\n" : "");
    mark_head_sent(status);
    const auto sent = co_await connection_.send(head, limits_.send_timeout);
    if (!sent) {
        connection_.abort();
    }
    co_return sent.has_value();
}

asio::awaitable<bool> Exchange::write(std::string_view piece) {
    if (piece.empty() || is_head_request()) {
        co_return !gone();
    }
    std::array<char, 20> size{};
    const auto size_end =
        std::to_chars(size.data(), size.data() + size.size() - 2, piece.size(), 16).ptr;
    size_end[0] = '\r';
    size_end[1] = '\n';
    std::array<asio::const_buffer, 3> pieces{
        asio::buffer(size.data(), static_cast<std::size_t>(size_end + 2 - size.data())),
        asio::buffer(piece), asio::buffer("\r\n", 2)};
    const std::span<asio::const_buffer> framed(pieces);
    const auto to_send = chunked_ ? framed : framed.subspan(1, 1);
    const auto sent = co_await connection_.send(to_send, limits_.send_timeout);
    if (!sent) {
        connection_.abort();
    }
    co_return sent.has_value();
}

asio::awaitable<void> Exchange::finish_stream() {
    mark_finished();
    if (chunked_ && !is_head_request()) {
        const auto sent = co_await connection_.send("0\r\n\r\n", limits_.send_timeout);
        if (!sent) {
            connection_.abort();
        }
    }
}

asio::awaitable<void> Exchange::write_chunk(std::string_view piece) {
    chunked_ = request_.head.minor_version == 1;
    co_await write(piece);
}

asio::awaitable<bool> Exchange::flush() {
    if (connection_.has_sent_all()) {
        co_return true;
    }
    const auto sent = co_await connection_.send("", limits_.send_timeout);
    co_return sent.has_value();
}

void Exchange::cut() noexcept {
    mark_finished();
    mark_close();
}

void Exchange::abort() noexcept {
    mark_finished();
    mark_close();
    connection_.abort();
}

}  // namespace routerd
