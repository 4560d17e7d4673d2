#include "daemon/proxy/forward.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "common/base/text.hpp"
#include "common/http/head.hpp"

namespace routerd {
namespace {

using std::chrono::steady_clock;

UpstreamPool::Endpoint to_native(const Endpoint& endpoint) {
    return endpoint.unix_path.empty() ? UpstreamPool::tcp_endpoint(endpoint.port)
                                      : UpstreamPool::unix_endpoint(endpoint.unix_path);
}

/// Ours to write, or none of the server's business: keys and cookies are for us, an Origin would be
/// reflected by llama-server.
bool is_kept_back(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 9> names{
        "host",   "content-length", "expect",       "authorization",     "x-api-key",
        "cookie", "origin",         "x-request-id", "x-request-priority"};
    return std::any_of(names.begin(), names.end(),
                       [name](std::string_view kept) { return iequals(name, kept); });
}

bool is_of_content(std::string_view name) noexcept {
    return iequals(name, "content-type") || iequals(name, "accept");
}

std::string make_head(const Exchange& exchange, const Outgoing& outgoing) {
    const auto& head = exchange.head();
    std::string connection;
    for (const auto& field : head.fields) {
        if (iequals(field.name, "connection")) {
            connection += (connection.empty() ? "" : ",") + std::string(field.value);
        }
    }
    std::string text;
    text.reserve(512);
    text.append(head.method).append(" ").append(outgoing.target).append(" HTTP/1.1\r\n");
    text += "host: localhost\r\n";
    for (const auto& field : head.fields) {
        const bool wanted =
            is_of_content(field.name) || (outgoing.pass_headers && !is_kept_back(field.name));
        if (wanted && !http::is_hop_by_hop(field.name, connection)) {
            text.append(field.name).append(": ").append(field.value).append("\r\n");
        }
    }
    if (!outgoing.body.empty() || head.method == "POST" || head.method == "PUT") {
        text.append("content-length: ").append(std::to_string(outgoing.body.size())).append("\r\n");
    }
    return text + "\r\n";
}

/// One try over one connection. Errors: as forward(), and cancelled when the connection was dead.
asio::awaitable<Result<void>> converse(Upstream& upstream, std::string_view head,
                                       std::string_view body, http::ResponseHead& answer,
                                       bool to_head_request, TimePoint deadline) {
    std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(body)};
    const std::span<asio::const_buffer> whole(pieces);
    const auto sent = co_await upstream.send(whole, deadline);
    // A server may answer, and close, before it has read all: its answer counts, not our failure.
    auto read = co_await upstream.read_head(answer, to_head_request, deadline);
    if (!read && !sent) {
        co_return sent.error();
    }
    co_return read;
}

Error explain(const Error& error, const Lease& lease, std::chrono::milliseconds timeout) {
    if (error.code() == Errc::deadline_exceeded) {
        return Error(Errc::deadline_exceeded, "the model's server did not begin to answer within " +
                                                  std::to_string(timeout.count() / 1000) + " s")
            .with_hint("raise [limits] first_byte_timeout, or see routerctl logs");
    }
    if (error.code() == Errc::cancelled) {
        const auto end = lease.instance_end();
        return {Errc::upstream_error, end.empty() ? "the model's server closed the connection "
                                                    "without an answer"
                                                  : "the model's server ended: " + end};
    }
    return error;
}

}  // namespace

asio::awaitable<Result<Answering>> forward(Exchange& exchange, const Outgoing& outgoing,
                                           const Lease& lease, UpstreamPool& pool,
                                           std::chrono::milliseconds first_byte_timeout) {
    Answering answering;
    const auto head = make_head(exchange, outgoing);
    answering.upstream = pool.take_idle(lease.instance());
    for (;;) {
        if (!answering.upstream) {
            const auto endpoint = to_native(lease.endpoint());
            auto connected = co_await pool.connect(endpoint);
            if (!connected) {
                co_return connected.error();
            }
            answering.upstream = std::move(*connected);
        }
        auto& upstream = *answering.upstream;
        exchange.on_gone([&upstream] { upstream.close(); });
        const auto deadline = steady_clock::now() + first_byte_timeout;
        const auto begun = co_await converse(upstream, head, outgoing.body, answering.head,
                                             exchange.is_head_request(), deadline);
        if (exchange.gone()) {
            co_return Error(Errc::cancelled, "the client left");
        }
        if (begun) {
            co_return std::move(answering);
        }
        exchange.on_gone(nullptr);
        if (begun.error().code() != Errc::cancelled || !upstream.is_reused()) {
            co_return explain(begun.error(), lease, first_byte_timeout);
        }
        answering.upstream.reset();  // it had been closed while it was idle: RFC 9112 9.3.1
    }
}

}  // namespace routerd
