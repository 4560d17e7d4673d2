#include "daemon/supervisor/probe.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "common/http/head.hpp"

namespace routerd {
namespace {

constexpr std::size_t longest_answer = 256U << 10U;

/// It says nothing of the server.
bool is_our_own_lack(const boost::system::error_code& error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system ||
           error == boost::system::errc::no_buffer_space ||
           error == boost::system::errc::not_enough_memory;
}

asio::generic::stream_protocol::endpoint address_of(const Endpoint& endpoint) {
    if (!endpoint.unix_path.empty()) {
        return asio::local::stream_protocol::endpoint(endpoint.unix_path);
    }
    return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), endpoint.port);
}

/// How many bytes the answer in `bytes` has in all; nullopt while its head is not complete, the
/// greatest number when it ends with the connection.
Result<std::optional<std::size_t>> whole_size(http::HeadScanner& scanner, std::string_view bytes,
                                              http::ResponseHead& head) {
    const http::HeadLimits limits;
    auto found = scanner.scan(bytes, limits);
    if (found.state == http::ParseResult::State::complete) {
        found = http::parse_response_head(bytes.substr(0, found.consumed), limits, false, head);
    }
    if (found.state == http::ParseResult::State::bad) {
        return Error(Errc::upstream_error, "the answer is no HTTP: " + std::string(found.reason));
    }
    if (found.state == http::ParseResult::State::incomplete) {
        return std::optional<std::size_t>();
    }
    if (head.body == http::BodyKind::none) {
        return std::optional(found.consumed);
    }
    if (head.body == http::BodyKind::length && head.content_length < longest_answer) {
        return std::optional(found.consumed + static_cast<std::size_t>(head.content_length));
    }
    return std::optional(longest_answer);
}

}  // namespace

asio::awaitable<Result<Probe::Answer>> Probe::get(const Endpoint& endpoint, std::string path,
                                                  TimePoint deadline) {
    using namespace asio::experimental::awaitable_operators;
    cancelled_ = false;
    const std::string attempt = "ask " + endpoint.text();
    std::string request = "GET " + path +
                          " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: routerd\r\n"
                          "Connection: close\r\n\r\n";
    timer_.expires_at(deadline);
    auto first = co_await (exchange(endpoint, std::move(request)) || timer_.async_wait(no_throw));
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (first.index() == 0) {
        co_return std::get<0>(std::move(first));
    }
    co_return Error(Errc::deadline_exceeded, attempt + ": no answer in time");
}

void Probe::cancel() {
    cancelled_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

asio::awaitable<Result<Probe::Answer>> Probe::exchange(const Endpoint& endpoint,
                                                       std::string request) {
    const auto address = address_of(endpoint);
    auto [connect_error] = co_await socket_.async_connect(address, no_throw);
    if (connect_error) {
        co_return why("connect to " + endpoint.text(), connect_error);
    }
    auto [write_error, written] =
        co_await asio::async_write(socket_, asio::buffer(request), no_throw);
    if (write_error) {
        co_return why("ask " + endpoint.text(), write_error);
    }
    std::string bytes;
    http::HeadScanner scanner;
    http::ResponseHead head;
    std::optional<std::size_t> size;
    std::array<char, 4096> part{};
    while (!size || bytes.size() < *size) {
        auto [error, n] = co_await socket_.async_read_some(asio::buffer(part), no_throw);
        if (error && !(error == asio::error::eof && size == longest_answer)) {
            co_return why("read the answer of " + endpoint.text(), error);
        }
        if (error) {
            break;  // the end of the connection is the end of the answer
        }
        bytes.append(part.data(), n);
        if (!size) {
            const auto found = whole_size(scanner, bytes, head);
            if (!found) {
                co_return found.error();
            }
            size = *found;
        }
    }
    Answer answer;
    answer.status = head.status;
    const auto body = bytes.find("\r\n\r\n");
    answer.body = body == std::string::npos ? std::string() : bytes.substr(body + 4);
    co_return answer;
}

Error Probe::why(const std::string& attempt, const boost::system::error_code& error) const {
    if (cancelled_) {
        return {Errc::cancelled, attempt + ": cancelled"};
    }
    return {is_our_own_lack(error) ? Errc::internal : Errc::unavailable,
            attempt + ": " + error.message()};
}

}  // namespace routerd
