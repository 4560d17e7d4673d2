#pragma once

#include <string>
#include <string_view>

#include "daemon/gate/gate.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/http/upstream.hpp"

namespace routerd {

/// What is sent to a model's server for one request.
struct Outgoing {
    std::string_view path;
    std::string_view query;  ///< without '?'; may be empty
    std::string_view body;
    bool is_raw = false;  ///< the client talks to the server itself: nothing is our affair
};

/// The head of the request to a server, made of parsed parts, with its empty line. `remote`: the
/// server, where it is elsewhere.
std::string request_head(const Exchange& exchange, const Outgoing& outgoing,
                         const RemoteServer* remote);

/// How often a routerd has sent this request on to a server elsewhere.
std::size_t times_sent_on(const http::RequestHead& head);

/// Of a server on this machine.
UpstreamPool::Endpoint native_endpoint(const Endpoint& endpoint);

}  // namespace routerd
