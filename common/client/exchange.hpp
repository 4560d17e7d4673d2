#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/client/socket.hpp"
#include "common/http/chunked.hpp"
#include "common/http/head.hpp"

namespace routerd::client {

struct Request {
    explicit Request(std::string verb, std::string path, std::string json = {})
        : method(std::move(verb)), target(std::move(path)), body(std::move(json)) {}

    std::string method;
    std::string target;  ///< path and query, percent-encoded
    std::string body;    ///< JSON; empty: none
    std::string accept = "application/json";
    std::string authorization;  ///< value of the field; empty: none
};

/// One request and its answer on a connection of its own. Errors, besides those of Socket:
/// upstream_error for an answer that is not HTTP or that ends too early.
class Exchange {
  public:
    /// Sends the request and reads the answer's head.
    static Result<Exchange> start(Socket socket, const Address& address, const Request& request,
                                  const Patience& patience);

    unsigned status() const noexcept { return status_; }
    const std::string& content_type() const noexcept { return content_type_; }

    /// The next piece of the body as it comes; nullopt at its end. The view is good until the next
    /// call.
    Result<std::optional<std::string_view>> read(const Patience& patience);

    /// The whole rest of the body. Errors: payload_too_large over 64 MiB.
    Result<std::string> read_all(const Patience& patience);

  private:
    explicit Exchange(Socket socket);

    Result<void> read_head(const Patience& patience);
    Result<bool> fill(const Patience& patience);
    Result<std::optional<std::string_view>> read_chunk(const Patience& patience);

    Socket socket_;
    std::vector<char> buffer_;
    std::string_view unread_;  // of buffer_
    unsigned status_ = 0;
    std::string content_type_;
    http::BodyKind body_ = http::BodyKind::none;
    std::uint64_t left_ = 0;  // BodyKind::length: bytes still to come
    http::ChunkedDecoder chunks_;
};

}  // namespace routerd::client
