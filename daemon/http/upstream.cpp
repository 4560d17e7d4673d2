#include "daemon/http/upstream.hpp"

#include <chrono>
#include <cstring>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <netinet/tcp.h>

namespace routerd {
namespace {

// llama-server closes kept connections after 5 s.
constexpr std::chrono::milliseconds keep_idle(4000);
constexpr std::size_t keep_most = 64;            // kept connections per instance
constexpr std::size_t buffer_size = 32U << 10U;  // bytes
constexpr http::HeadLimits answer_limits{.line = 8U << 10U, .head = 32U << 10U, .fields = 100};
constexpr unsigned max_interim = 16;  // 1xx answers before the final one

}  // namespace

asio::awaitable<Result<void>> Upstream::send(std::span<asio::const_buffer> buffers,
                                             TimePoint deadline) {
    auto sent = co_await stream_.send(buffers, deadline);
    co_return sent;
}

asio::awaitable<Result<std::size_t>> Upstream::receive(TimePoint deadline) {
    if (buffer_.empty()) {
        buffer_.resize(buffer_size);
    }
    if (begin_ == end_) {
        begin_ = end_ = 0;
    } else if (end_ == buffer_.size()) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    const auto room = asio::buffer(buffer_.data() + end_, buffer_.size() - end_);
    auto received = co_await stream_.read_some(room, deadline);
    if (received) {
        end_ += *received;
    }
    co_return received;
}

std::string_view Upstream::pending() const noexcept {
    return {buffer_.data() + begin_, end_ - begin_};
}

asio::awaitable<Result<void>> Upstream::read_head(http::ResponseHead& head, bool to_head_request,
                                                  TimePoint deadline) {
    bool any = false;
    for (unsigned interim = 0; interim < max_interim;) {
        const auto found = scanner_.scan(pending(), answer_limits);
        if (found.state == http::ParseResult::State::bad) {
            co_return Error(
                Errc::upstream_error,
                "the model's server answered with an invalid head: " + std::string(found.reason));
        }
        if (found.state == http::ParseResult::State::incomplete) {
            auto received = co_await receive(deadline);
            if (!received) {
                co_return received.error();
            }
            if (*received == 0) {
                co_return any
                    ? Error(Errc::upstream_error,
                            "the model's server closed in the middle of its answer's head")
                    : Error(Errc::cancelled, "the model's server closed the connection");
            }
            any = true;
            continue;
        }
        raw_head_.assign(pending().substr(0, found.consumed));
        take(found.consumed);
        scanner_.reset();
        const auto parsed =
            http::parse_response_head(raw_head_, answer_limits, to_head_request, head);
        if (parsed.state == http::ParseResult::State::bad) {
            co_return Error(
                Errc::upstream_error,
                "the model's server answered with an invalid head: " + std::string(parsed.reason));
        }
        if (head.status >= 200) {
            co_return boost::system::in_place_value;
        }
        ++interim;
    }
    co_return Error(Errc::upstream_error, "the model's server sent too many interim answers");
}

asio::awaitable<Result<std::string_view>> Upstream::read_some(TimePoint deadline) {
    if (begin_ == end_) {
        const auto received = co_await receive(deadline);
        if (!received) {
            co_return received.error();
        }
    }
    co_return pending();
}

std::unique_ptr<Upstream> UpstreamPool::take_idle(std::uint64_t instance) {
    const auto found = idle_.find(instance);
    const auto now = std::chrono::steady_clock::now();
    while (found != idle_.end() && !found->second.empty()) {
        auto upstream = std::move(found->second.back());
        found->second.pop_back();
        if (now - upstream->idle_since_ < keep_idle) {
            return upstream;
        }
        found->second.clear();  // the rest has waited longer still
    }
    return nullptr;
}

asio::awaitable<Result<std::unique_ptr<Upstream>>> UpstreamPool::connect(Endpoint endpoint) {
    Socket socket(executor_);
    auto [ec] = co_await socket.async_connect(endpoint, no_throw);
    if (ec) {
        co_return Error(Errc::unavailable, "connect to the model's server: " + ec.message());
    }
    if (endpoint.protocol().family() != AF_UNIX) {
        boost::system::error_code ignored;
        socket.set_option(asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_NODELAY>(true),
                          ignored);
    }
    co_return std::make_unique<Upstream>(std::move(socket), deadlines_);
}

void UpstreamPool::give_back(std::uint64_t instance, std::unique_ptr<Upstream> upstream) {
    auto& kept = idle_[instance];
    if (kept.size() < keep_most && upstream->is_open() && upstream->pending().empty()) {
        upstream->reused_ = true;
        upstream->idle_since_ = std::chrono::steady_clock::now();
        upstream->buffer_ = {};  // an idle connection needs none
        kept.push_back(std::move(upstream));
    }
}

void UpstreamPool::drop(std::uint64_t instance) {
    idle_.erase(instance);
}

UpstreamPool::Endpoint UpstreamPool::unix_endpoint(const std::string& path) {
    return asio::local::stream_protocol::endpoint(path);
}

UpstreamPool::Endpoint UpstreamPool::tcp_endpoint(std::uint16_t port) {
    return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port);
}

}  // namespace routerd
