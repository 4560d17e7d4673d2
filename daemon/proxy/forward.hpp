#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/http/upstream.hpp"
#include "daemon/supervisor/gate.hpp"

namespace routerd {

/// What is sent to a model's server for one request.
struct Outgoing {
    std::string target;  ///< path and query
    std::string_view body;
    bool pass_headers = false;  ///< all end-to-end ones, not only those of the content
};

/// A server that has begun to answer.
struct Answering {
    std::unique_ptr<Upstream> upstream;
    http::ResponseHead head;
};

/// Sends a request to the lease's server and reads the head of the answer. A kept connection that
/// turns out to be dead before the first byte of an answer is replaced by a new one, once; nothing
/// else is tried twice. The upstream connection is closed when the client leaves. Errors: cancelled
/// (client), unavailable (no connection), upstream_error, deadline_exceeded.
asio::awaitable<Result<Answering>> forward(Exchange& exchange, const Outgoing& outgoing,
                                           const Lease& lease, UpstreamPool& pool,
                                           std::chrono::milliseconds first_byte_timeout);

}  // namespace routerd
