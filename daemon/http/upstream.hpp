#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/result.hpp"
#include "common/http/head.hpp"
#include "daemon/net/stream.hpp"

namespace routerd {

/// One connection to a model's server. Used by one request at a time.
class Upstream {
  public:
    Upstream(Socket socket, Deadlines& deadlines) : stream_(std::move(socket), deadlines) {}

    /// It has served a request before: the server may have closed it meanwhile.
    bool is_reused() const noexcept { return reused_; }

    asio::awaitable<Result<void>> send(std::span<asio::const_buffer> buffers, TimePoint deadline);

    /// Reads the head of an answer, skipping 1xx ones; `head` has views into this connection until
    /// the next call. Errors: cancelled when the server closed before a byte came, upstream_error
    /// for anything else that is not an answer, deadline_exceeded.
    asio::awaitable<Result<void>> read_head(http::ResponseHead& head, bool to_head_request,
                                            TimePoint deadline);

    /// What came with the head beyond it; consumed by the caller through take().
    std::string_view pending() const noexcept;
    void take(std::size_t count) noexcept { begin_ += count; }

    /// Body bytes as they come, into the connection's own buffer: a view until the next read; empty
    /// at the server's end. First gives what is pending. Errors: cancelled, deadline_exceeded.
    asio::awaitable<Result<std::string_view>> read_some(TimePoint deadline);

    /// Ends what waits on it, at once.
    void close() noexcept { stream_.close(); }
    bool is_open() const noexcept { return stream_.is_open(); }

  private:
    friend class UpstreamPool;
    asio::awaitable<Result<std::size_t>> receive(TimePoint deadline);

    Stream stream_;
    std::string raw_head_;
    http::HeadScanner scanner_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool reused_ = false;
    TimePoint idle_since_;
};

/// Kept connections to the servers, by instance. Core loop only.
class UpstreamPool {
  public:
    UpstreamPool(const asio::any_io_executor& executor)
        : executor_(executor), deadlines_(executor) {}

    using Endpoint = asio::generic::stream_protocol::endpoint;

    /// A kept connection, or nullptr.
    std::unique_ptr<Upstream> take_idle(std::uint64_t instance);

    /// A new one. Errors: unavailable (refused, no such socket).
    asio::awaitable<Result<std::unique_ptr<Upstream>>> connect(Endpoint endpoint);

    /// Keeps it for the next request; only after a complete exchange with nothing left over.
    void give_back(std::uint64_t instance, std::unique_ptr<Upstream> upstream);

    /// Closes all kept connections to an instance.
    void drop(std::uint64_t instance);

    static Endpoint unix_endpoint(const std::string& path);
    static Endpoint tcp_endpoint(std::uint16_t port);  ///< on 127.0.0.1

  private:
    asio::any_io_executor executor_;
    Deadlines deadlines_;
    std::unordered_map<std::uint64_t, std::vector<std::unique_ptr<Upstream>>> idle_;
};

}  // namespace routerd
