#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/result.hpp"
#include "common/http/chunked.hpp"
#include "common/http/head.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/http/upstream.hpp"
#include "daemon/proxy/tail_tap.hpp"

namespace routerd {

/// Passes an answer's body on, each piece as soon as it comes. The head has been sent already.
class Relay {
  public:
    /// How body bytes reach the client.
    enum class Framing {
        verbatim,  ///< as the server framed them: a length, or its own chunks
        decoded,   ///< taken out of the server's framing and written as pieces of our own stream
    };

    Relay(Upstream& upstream, Exchange& exchange, const http::ResponseHead& head, Framing framing)
        : upstream_(upstream),
          exchange_(exchange),
          kind_(head.body),
          left_(head.content_length),
          framing_(framing) {}

    /// Errors: cancelled (the client left), upstream_error (the server broke off),
    /// deadline_exceeded (nothing came for `stall`). After an error the stream has no proper end
    /// yet.
    asio::awaitable<Result<void>> run(std::chrono::milliseconds stall);

    std::uint64_t bytes() const noexcept { return bytes_; }
    const TailTap& tap() const noexcept { return tap_; }

    /// Another event may be put in here: the client is not in the middle of a chunk of the
    /// server's.
    bool at_boundary() const noexcept;

  private:
    /// Checks a piece against the framing: how much of it belongs to this body. Errors:
    /// upstream_error.
    Result<std::size_t> examine(std::string_view piece);
    asio::awaitable<Result<void>> pass_on(std::string_view piece);
    asio::awaitable<Result<void>> pass_on_decoded(std::string_view piece);
    bool complete() const noexcept;

    Upstream& upstream_;
    Exchange& exchange_;
    http::BodyKind kind_;
    std::uint64_t left_;
    Framing framing_;
    http::ChunkedDecoder decoder_;
    std::uint64_t bytes_ = 0;
    TailTap tap_;
};

}  // namespace routerd
