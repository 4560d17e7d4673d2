#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "common/http/chunked.hpp"
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

    /// How far a head or a body has come.
    enum class Step {
        whole,
        partly,   ///< the rest must be waited for: read_head() or read_body()
        refused,  ///< see refusal()
    };

    /// Takes the head off what has come; mostly it is there. The request's views are into this
    /// reader until the next call.
    Step take_head(Connection& connection, Exchange::Request& request);

    /// The same for the body that the head announces, which stays in the connection's buffer.
    Step take_body(Connection& connection, Exchange::Request& request);

    /// Waits for the rest, as long as the configuration says: a head until header_timeout, a body
    /// while something comes each body_timeout and it is not slower than 512 bytes a second after
    /// that. False: see refusal().
    asio::awaitable<bool> read_head(Connection& connection, Exchange::Request& request);
    asio::awaitable<bool> read_body(Connection& connection, Exchange::Request& request);

    /// The bytes of the head that was taken last.
    std::string_view raw_head() const noexcept { return raw_; }

    /// What to tell the client, in the request's dialect; nullopt: it has left.
    std::optional<Response> refusal(Dialect dialect) const;

    /// Lets go of the memory that an unusually large head took.
    void shrink(Exchange::Request& request);

  private:
    Step look_for_head(Connection& connection, Exchange::Request& request);
    Step look_for_body(Connection& connection, Exchange::Request& request);
    Step decode(Connection& connection, Exchange::Request& request);
    std::uint64_t missing_of_body(const Connection& connection,
                                  const http::RequestHead& head) const noexcept;
    asio::awaitable<bool> invite(Connection& connection);
    Step refuse(unsigned status, std::string reason, std::string hint = {});
    Step refuse_size(std::uint64_t size);
    void note_end(const Error& error, const char* too_late);

    const HttpConfig& config_;
    http::HeadScanner scanner_;
    http::ChunkedDecoder decoder_;
    std::size_t decoded_ = 0;  // bytes of the body, at the front of the connection's input
    std::size_t taken_ = 0;    // bytes of that input that were decoded
    std::string raw_;          // the head's bytes: the request has views into it
    unsigned status_ = 0;      // of the refusal; 0: the client left
    std::optional<Error> error_;
};

}  // namespace routerd
