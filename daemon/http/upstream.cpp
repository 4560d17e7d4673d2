#include "daemon/http/upstream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "daemon/net/tls_context.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

// llama-server closes kept connections after 5 s.
constexpr std::chrono::milliseconds keep_idle(4000);
constexpr std::size_t keep_most = 64;  // kept connections per instance

constexpr std::chrono::seconds connect_timeout(10);
// A Unix socket whose queue of connections is full says so at once, and tells nobody when it is
// not; nor does anybody tell of a descriptor that is free again.
constexpr std::chrono::milliseconds first_pause(5);
constexpr std::chrono::milliseconds longest_pause(200);  // there may be thousands who wait

bool is_for_now(int error) noexcept {
    return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOBUFS;
}

Error no_connection(const std::string& why) {
    return {Errc::unavailable, "connect to the model's server: " + why};
}

Error no_connection(int error) {
    return no_connection(std::generic_category().message(error));
}

int error_of(int socket) noexcept {
    int error = 0;
    socklen_t size = sizeof(error);
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

struct Attempt {
    UniqueFd socket;
    int error = 0;  ///< errno; EINPROGRESS: it takes a while; see is_for_now()
};

Attempt begin_connection(const UpstreamPool::Endpoint& endpoint) {
    const auto family = endpoint.protocol().family();
    Attempt attempt;
    attempt.socket = UniqueFd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!attempt.socket) {
        attempt.error = errno;
        return attempt;
    }
    if (family != AF_UNIX) {
        const int on = 1;
        ::setsockopt(attempt.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (::connect(attempt.socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) !=
        0) {
        attempt.error = errno;
    }
    return attempt;
}

}  // namespace

void Upstream::make_room(std::size_t bytes) noexcept {
    constexpr std::size_t given = 128U << 10U;  // bytes that go in anyhow
    constexpr std::size_t most = 1U << 20U;
    const auto wanted = std::min(bytes, most);
    if (remote_ || wanted <= std::max(room_, given)) {
        return;  // over TCP the kernel finds out by itself
    }
    room_ = wanted;
    const auto size = static_cast<int>(wanted);
    ::setsockopt(stream_.native_handle(), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void Upstream::on_readable() {
    if (user_ != nullptr) {
        return user_->on_upstream_readable();
    }
    if (connected_.has_sleeper()) {
        return connected_.resume();
    }
    if (keeper_ != nullptr && !says_nothing()) {
        keeper_->discard(*this);  // closed, or an answer that nobody asked for
    }
}

/// What came was TLS's own affair.
bool Upstream::says_nothing() noexcept {
    std::array<char, 1> byte{};
    return stream_.is_encrypted() && !stream_.peer_closed() &&
           stream_.read(byte).state == Stream::Outcome::State::would_block;
}

void Upstream::on_writable() {
    if (connected_.has_sleeper()) {
        return connected_.resume();
    }
    if (user_ != nullptr) {
        user_->on_upstream_writable();
    }
}

void Upstream::on_expired() {
    if (connected_.has_sleeper()) {
        return connected_.resume();
    }
    if (user_ != nullptr) {
        return user_->on_upstream_expired();
    }
    if (keeper_ != nullptr) {
        keeper_->discard(*this);
    }
}

std::unique_ptr<Upstream> UpstreamPool::take_idle(std::uint64_t instance) {
    const auto found = idle_.find(instance);
    if (found == idle_.end()) {
        return nullptr;
    }
    auto& kept = found->second;
    while (!kept.empty()) {
        auto upstream = std::move(kept.back());
        kept.pop_back();
        if (turn_now() >= upstream->idle_until_) {
            kept.clear();  // the rest has waited longer still
            break;
        }
        if (!upstream->stream_.readable() && !upstream->stream_.peer_closed()) {
            upstream->keeper_ = nullptr;
            return upstream;
        }
    }
    return nullptr;
}

std::unique_ptr<Upstream> UpstreamPool::connect_at_once(const Endpoint& endpoint) {
    if (endpoint.protocol().family() != AF_UNIX) {
        return nullptr;
    }
    auto attempt = begin_connection(endpoint);
    if (attempt.error != 0) {
        return nullptr;
    }
    auto made = std::make_unique<Upstream>(std::move(attempt.socket), loop_);
    made->may_borrow_ = true;
    return made;
}

asio::awaitable<UpstreamPool::Connected> UpstreamPool::connect(Endpoint endpoint) {
    co_return co_await connect_until(std::move(endpoint), nullptr, steady_now() + connect_timeout);
}

asio::awaitable<UpstreamPool::Connected> UpstreamPool::connect_until(Endpoint endpoint,
                                                                     const RemoteAddress* remote,
                                                                     TimePoint deadline) {
    auto attempt = begin_connection(endpoint);
    for (auto wait = first_pause; is_for_now(attempt.error) && steady_now() < deadline;
         wait = std::min(wait * 2, longest_pause)) {
        asio::steady_timer pause(loop_.executor(), wait);
        co_await pause.async_wait(no_throw);
        attempt = begin_connection(endpoint);
    }
    if (attempt.error != 0 && attempt.error != EINPROGRESS) {
        co_return no_connection(attempt.error);
    }
    const int socket = attempt.socket.get();
    std::unique_ptr<TlsSession> tls;
    if (remote != nullptr && remote->tls != nullptr) {
        tls = remote->tls->connect(socket, remote->host);
        if (tls == nullptr) {
            co_return no_connection(ENOMEM);
        }
    }
    auto made = std::make_unique<Upstream>(std::move(attempt.socket), loop_, std::move(tls));
    made->remote_ = remote != nullptr;
    made->may_borrow_ = remote == nullptr && endpoint.protocol().family() == AF_UNIX;
    if (attempt.error == EINPROGRESS) {
        made->stream_.wait_for_output();
        made->stream_.set_deadline(deadline);
        co_await made->connected_.wait();
        made->stream_.clear_deadline();
        const int error = error_of(made->stream_.native_handle());
        if (error != 0 || turn_now() >= deadline) {
            co_return no_connection(error != 0 ? error : ETIMEDOUT);
        }
    }
    if (made->stream_.is_encrypted()) {
        const auto agreed = co_await shake_hands(*made, deadline);
        if (!agreed) {
            co_return agreed.error();
        }
    }
    co_return made;
}

asio::awaitable<Result<void>> UpstreamPool::shake_hands(Upstream& upstream, TimePoint deadline) {
    using State = Stream::Outcome::State;
    auto& stream = upstream.stream_;
    auto step = stream.shake_hands();
    while (step.state == State::would_block && turn_now() < deadline) {
        stream.set_deadline(deadline);
        co_await upstream.connected_.wait();
        step = stream.shake_hands();
    }
    stream.clear_deadline();
    if (step.state == State::moved) {
        co_return Result<void>();
    }
    co_return no_connection("TLS: " + (step.state == State::would_block
                                           ? std::string("no agreement in time")
                                           : std::string(stream.tls_fault())));
}

/// Each gets its share of the time that is left.
asio::awaitable<UpstreamPool::Connected> UpstreamPool::connect_to_one(
    const NameBook::Addresses& addresses, const RemoteAddress& remote, TimePoint deadline) {
    std::optional<Error> failure;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto now = steady_now();
        const auto share = (deadline - now) / static_cast<std::int64_t>(addresses.size() - i);
        auto connected = co_await connect_until(addresses[i], &remote, now + share);
        if (connected) {
            co_return connected;
        }
        failure = connected.error();
    }
    co_return failure.value_or(no_connection(ETIMEDOUT));
}

asio::awaitable<UpstreamPool::Connected> UpstreamPool::connect(RemoteAddress remote) {
    const auto deadline = steady_now() + connect_timeout;
    for (;;) {
        const auto found = co_await names_.find(remote.host, remote.port, deadline);
        if (!found) {
            co_return no_connection(found.error().message());
        }
        auto connected = co_await connect_to_one(found->addresses, remote, deadline);
        if (connected) {
            co_return connected;
        }
        names_.forget(remote.host, remote.port);
        if (found->is_fresh || steady_now() >= deadline) {
            co_return connected;
        }
    }
}

void UpstreamPool::give_back(std::uint64_t instance, std::unique_ptr<Upstream> upstream) {
    if (!upstream->stream_.is_open() || upstream->stream_.peer_closed()) {
        return;
    }
    auto& kept = idle_[instance];
    if (kept.size() < keep_most) {
        upstream->user_ = nullptr;
        upstream->keeper_ = this;
        upstream->instance_ = instance;
        upstream->reused_ = true;
        upstream->idle_until_ = turn_now() + keep_idle;
        upstream->stream_.set_deadline(upstream->idle_until_);
        kept.push_back(std::move(upstream));
    }
}

void UpstreamPool::discard(const Upstream& upstream) {
    const auto found = idle_.find(upstream.instance_);
    if (found != idle_.end()) {
        std::erase_if(found->second,
                      [&upstream](const auto& kept) { return kept.get() == &upstream; });
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
