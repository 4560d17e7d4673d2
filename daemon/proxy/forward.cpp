#include "daemon/proxy/forward.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/http/head.hpp"

namespace routerd {
namespace {

/// Ours to write, or none of the server's business: keys and cookies are for us, an Origin would be
/// reflected by llama-server.
constexpr http::NameSet kept_back{http::Name::host,
                                  http::Name::content_length,
                                  http::Name::expect,
                                  http::Name::authorization,
                                  http::Name::x_api_key,
                                  http::Name::cookie,
                                  http::Name::origin,
                                  http::Name::x_request_id,
                                  http::Name::x_request_priority,
                                  http::Name::x_request_timeout};

constexpr std::string_view our_via = "1.1 routerd";  // RFC 9110 7.6.3

/// In one Via field.
std::size_t count_of_us(std::string_view value) {
    const auto hops = split(value, ',');
    return static_cast<std::size_t>(
        std::ranges::count_if(hops, [](std::string_view hop) { return trim(hop) == our_via; }));
}

}  // namespace

std::size_t times_sent_on(const http::RequestHead& head) {
    std::size_t times = 0;
    for (const auto& field : head.fields) {
        times += field.known == http::Name::via ? count_of_us(field.value) : 0;
    }
    return times;
}

std::string request_head(const Exchange& exchange, const Outgoing& outgoing,
                         const RemoteServer* remote) {
    const auto& head = exchange.head();
    const auto options = http::connection_options(head.fields);
    std::string text;
    text.reserve(512);
    text.append(head.method).append(" ");
    if (remote != nullptr) {
        text.append(remote->base);
    }
    text.append(outgoing.path);
    if (!outgoing.query.empty()) {
        text.append("?").append(outgoing.query);
    }
    text.append(" HTTP/1.1\r\nhost: ");
    text.append(remote == nullptr ? std::string_view("localhost") : remote->host).append("\r\n");
    if (remote != nullptr && !remote->key.empty()) {
        text.append("authorization: Bearer ").append(remote->key).append("\r\n");
    }
    if (remote != nullptr) {
        text.append("via: ").append(our_via).append("\r\n");
    }
    for (const auto& field : head.fields) {
        // A compressed answer would hide its figures from us, and its events from nobody's delay.
        const bool is_for_us = kept_back.has(field.known) || http::is_hop_by_hop(field, options) ||
                               (field.known == http::Name::accept_encoding && !outgoing.is_raw);
        if (!is_for_us) {
            text.append(field.name).append(": ").append(field.value).append("\r\n");
        }
    }
    if (!outgoing.body.empty() || head.method == "POST" || head.method == "PUT") {
        text.append("content-length: ").append(std::to_string(outgoing.body.size())).append("\r\n");
    }
    text += "\r\n";
    return text;
}

UpstreamPool::Endpoint native_endpoint(const Endpoint& endpoint) {
    return endpoint.unix_path.empty() ? UpstreamPool::tcp_endpoint(endpoint.port)
                                      : UpstreamPool::unix_endpoint(endpoint.unix_path);
}

}  // namespace routerd
