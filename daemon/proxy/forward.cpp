#include "daemon/proxy/forward.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/base/text_writer.hpp"
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

constexpr std::size_t usual_head = 512;  // bytes

constexpr std::string_view our_via = "1.1 routerd";  // RFC 9110 7.6.3

/// In one Via field.
std::size_t count_of_us(std::string_view value) {
    const auto hops = split(value, ',');
    return static_cast<std::size_t>(
        std::ranges::count_if(hops, [](std::string_view hop) { return trim(hop) == our_via; }));
}

void write_request_head(std::string& text, const http::RequestHead& head, const Outgoing& outgoing,
                        const RemoteServer* remote) {
    const auto options = http::connection_options(head.fields);
    TextWriter writer(text, usual_head);
    writer.add(head.method, " ", remote == nullptr ? "" : std::string_view(remote->base),
               outgoing.path);
    if (!outgoing.query.empty()) {
        writer.add("?", outgoing.query);
    }
    writer.add(" HTTP/1.1\r\nhost: ",
               remote == nullptr ? "localhost" : std::string_view(remote->host), "\r\n");
    if (remote != nullptr && !remote->key.empty()) {
        writer.add("authorization: Bearer ", remote->key, "\r\n");
    }
    if (remote != nullptr) {
        writer.add("via: ", our_via, "\r\n");
    }
    for (const auto& field : head.fields) {
        // A compressed answer would hide its figures from us, and its events from nobody's delay.
        const bool is_for_us = kept_back.has(field.known) || http::is_hop_by_hop(field, options) ||
                               (field.known == http::Name::accept_encoding && !outgoing.is_raw);
        if (!is_for_us) {
            writer.add(field.name, ": ", field.value, "\r\n");
        }
    }
    if (!outgoing.body.empty() || head.method == "POST" || head.method == "PUT") {
        writer.add("content-length: ", Decimal(outgoing.body.size()).text(), "\r\n");
    }
    writer.add("\r\n");
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
    std::string text;
    write_request_head(text, exchange.head(), outgoing, remote);
    return text;
}

UpstreamPool::Endpoint native_endpoint(const Endpoint& endpoint) {
    return endpoint.unix_path.empty() ? UpstreamPool::tcp_endpoint(endpoint.port)
                                      : UpstreamPool::unix_endpoint(endpoint.unix_path);
}

}  // namespace routerd
