#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/http/head.hpp"
#include "daemon/http/caller.hpp"
#include "daemon/http/connection.hpp"

namespace routerd {

/// A whole answer.
struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;

    static Response json(std::string body, unsigned status = 200) {
        return {.status = status,
                .content_type = "application/json",
                .body = std::move(body),
                .headers = {}};
    }
};

/// Whose error bodies a path speaks (http-api.md, "Errors").
enum class Dialect { openai, anthropic, registry };

/// Which limits of time hold for one connection.
struct ExchangeLimits {
    std::chrono::milliseconds send_timeout{
        std::chrono::seconds(60)};  ///< a client that does not read
};

/// The header line that says how long a body is.
class LengthLine {
  public:
    explicit LengthLine(std::uint64_t bytes) noexcept {
        constexpr std::string_view name = "content-length: ";
        name.copy(text_.data(), name.size());
        auto* end =
            std::to_chars(text_.data() + name.size(), text_.data() + text_.size() - 2, bytes).ptr;
        *end++ = '\r';
        *end++ = '\n';
        size_ = static_cast<std::size_t>(end - text_.data());
    }

    std::string_view text() const noexcept { return {text_.data(), size_}; }

  private:
    std::array<char, 40> text_{};
    std::size_t size_;
};

/// One request and the one answer to it. Made by the session; handlers get a reference that is good
/// until their coroutine ends. Exactly one of respond(), begin_stream() … finish_stream(), abort()
/// must have happened by then; a handler that did none of them is answered for with a 500.
class Exchange {
  public:
    struct Request {
        http::RequestHead head;
        /// Whole, decoded from its framing, in the connection's buffer: Connection::padding bytes
        /// behind it may be read.
        std::string_view body;
        std::size_t held = 0;    ///< bytes of the connection's input that it came in
        std::string id;          ///< x-request-id
        std::string path;        ///< decoded
        std::string_view route;  ///< pattern of the route, which outlives the request
        Caller caller;
        Dialect dialect = Dialect::openai;
        std::vector<std::pair<std::string_view, std::string>> params;  ///< of the route's pattern
        std::string extra;  ///< header lines of the answer, see add_header()
    };

    Exchange(Connection& connection, Request& request, ExchangeLimits limits)
        : connection_(connection), request_(request), limits_(limits) {
        request_.extra.clear();  // its memory is used again
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    const http::RequestHead& head() const noexcept { return request_.head; }
    std::string_view body() const noexcept { return request_.body; }
    /// The body, the fields of the head and the lines of add_header() are not needed any more:
    /// their memory is given back now, not when the answer ends.
    void release_request() noexcept;
    const std::string& id() const noexcept { return request_.id; }
    const Caller& caller() const noexcept { return request_.caller; }
    std::string_view route() const noexcept { return request_.route; }
    const std::string& path() const noexcept { return request_.path; }
    Dialect dialect() const noexcept { return request_.dialect; }
    bool is_control() const noexcept { return connection_.is_control(); }

    /// Value of `{name}` of the route's pattern, decoded; empty when it has none.
    const std::string& param(std::string_view name) const noexcept;

    /// Value of a query parameter, decoded.
    std::optional<std::string> query(std::string_view name) const;

    /// Adds a header to whatever answer is sent later.
    void add_header(std::string_view name, std::string_view value);

    /// Sends a whole answer. A failure to send is the client's leaving and needs no handling.
    asio::awaitable<void> respond(Response response);

    /// The same for an error, in this path's dialect.
    asio::awaitable<void> respond(const Error& error);

    /// The answer of a server that ends the connection right after it, unless it is kept.
    asio::awaitable<void> refuse(Response response);

    /// Sends the head of an answer whose body comes in pieces (chunked; to an HTTP/1.0 client until
    /// close). False when the client is gone.
    asio::awaitable<bool> begin_stream(unsigned status, std::string_view content_type);

    /// Sends one piece at once. False when the client is gone.
    asio::awaitable<bool> write(std::string_view piece);

    /// The proper end of a stream.
    asio::awaitable<void> finish_stream();

    /// Sends one last piece into a chunked stream whose framing somebody else wrote so far.
    asio::awaitable<void> write_chunk(std::string_view piece);

    /// Waits until the socket has taken all that was sent. False when the client is gone.
    asio::awaitable<bool> flush();

    /// Cuts the connection: the client sees that the answer is not whole. What was sent may be
    /// lost.
    void abort() noexcept;

    /// The same, but what was sent arrives first: the connection ends in an orderly way, the body's
    /// framing does not.
    void cut() noexcept;

    bool head_sent() const noexcept { return head_sent_; }
    bool finished() const noexcept { return finished_; }
    bool gone() const noexcept { return connection_.gone(); }

    /// `callback` runs once from the loop when the client leaves (see Connection::on_gone).
    void on_gone(std::function<void()> callback) { connection_.on_gone(std::move(callback)); }

    /// Writes status line, header fields and the empty line of an answer to this request: the given
    /// framing lines, ours (x-request-id, connection) and what add_header() collected.
    void write_head(std::string& head, unsigned status, std::string_view content_type,
                    std::string_view framing) const;

    /// For the proxied path, which relays an answer by itself: it sends through connection() and
    /// then says what became of it.
    Connection& connection() noexcept { return connection_; }
    TimePoint send_deadline() const noexcept;
    void mark_head_sent(unsigned status) noexcept;
    void mark_finished() noexcept { finished_ = true; }
    void mark_close() noexcept { request_.head.keep_alive = false; }
    bool is_head_request() const noexcept { return request_.head.method == "HEAD"; }

    unsigned status() const noexcept { return status_; }  ///< sent; 0 before

  private:
    Connection& connection_;
    Request& request_;
    ExchangeLimits limits_;
    unsigned status_ = 0;
    bool head_sent_ = false;
    bool finished_ = false;
    bool chunked_ = false;
};

/// Answers one request, whatever happens.
using Handler = std::function<asio::awaitable<void>(Exchange&)>;

}  // namespace routerd
