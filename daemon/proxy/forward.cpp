#include "daemon/proxy/forward.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/http/head.hpp"

namespace routerd {
namespace {

/// Ours to write, or none of the server's business: keys and cookies are for us, an Origin would be
/// reflected by llama-server.
bool is_kept_back(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 10> names{
        "host",   "content-length", "expect",       "authorization",      "x-api-key",
        "cookie", "origin",         "x-request-id", "x-request-priority", "x-request-timeout"};
    return std::any_of(names.begin(), names.end(),
                       [name](std::string_view kept) { return iequals(name, kept); });
}

/// A compressed answer would hide its figures from us, and its events from nobody's delay.
bool asks_for_compression(std::string_view name) noexcept {
    return iequals(name, "accept-encoding");
}

/// The values of the Connection fields, joined.
std::string connection_options(const http::RequestHead& head) {
    std::string options;
    for (const auto& field : head.fields) {
        if (iequals(field.name, "connection")) {
            options.append(options.empty() ? "" : ",").append(field.value);
        }
    }
    return options;
}

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
        times += iequals(field.name, "via") ? count_of_us(field.value) : 0;
    }
    return times;
}

std::string request_head(const Exchange& exchange, const Outgoing& outgoing,
                         const RemoteServer* remote) {
    const auto& head = exchange.head();
    const auto options = connection_options(head);
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
        const bool wanted = !is_kept_back(field.name) &&
                            !http::is_hop_by_hop(field.name, options) &&
                            (outgoing.is_raw || !asks_for_compression(field.name));
        if (wanted) {
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
