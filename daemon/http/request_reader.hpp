#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "common/http/head.hpp"
#include "daemon/http/exchange.hpp"

namespace routerd {

/// Reads requests off connections, one after the other. What it needs for that is used again for
/// the next request, of whatever connection. Loop thread only.
class RequestReader {
  public:
    explicit RequestReader(const HttpConfig& config) : config_(config) {}
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Reads the head that has begun to come. The request's views are into this reader until the
    /// next call. False: see refusal().
    asio::awaitable<bool> read_head(Connection& connection, Exchange::Request& request);

    /// Reads the body that the head announces, into the connection's buffer. False: see refusal().
    asio::awaitable<bool> read_body(Connection& connection, Exchange::Request& request);

    /// What to tell the client, in the request's dialect; nullopt: it has left.
    std::optional<Response> refusal(Dialect dialect) const;

    /// Lets go of the memory that an unusually large head took.
    void shrink(Exchange::Request& request);

  private:
    bool take_head(Connection& connection, Exchange::Request& request, std::size_t length);
    asio::awaitable<bool> read_whole(Connection& connection, std::size_t length);
    asio::awaitable<bool> read_chunked(Connection& connection, Exchange::Request& request);
    asio::awaitable<bool> invite(Connection& connection);
    bool refuse(unsigned status, std::string reason);
    bool refuse_size(std::uint64_t size);
    bool fail(const Error& error, const char* too_late);

    const HttpConfig& config_;
    http::HeadScanner scanner_;
    std::string raw_;      // the head's bytes: the request has views into it
    unsigned status_ = 0;  // of the refusal; 0: the client left
    std::optional<Error> error_;
};

}  // namespace routerd
