#include "tests/bench/proxy/client.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

SSL_CTX* tls_context() {
    // The certificate is not looked at: it is one that the measuring script made for itself.
    static SSL_CTX* shared = SSL_CTX_new(TLS_client_method());
    return shared;
}

[[noreturn]] void give_up(const Options& options, const char* what) {
    std::fprintf(stderr, "load: %s 127.0.0.1:%lu: %s; is the target running?\n", what,
                 static_cast<unsigned long>(options.port), std::strerror(errno));
    std::exit(2);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

timespec to_timespec(std::uint64_t ns) {
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace

void Peer::close() {
    if (tls_ != nullptr) {
        SSL_free(tls_);
        tls_ = nullptr;
    }
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
    busy_ = false;
}

bool Peer::start_tls() {
    tls_ = SSL_new(tls_context());
    SSL_set_fd(tls_, fd_);
    SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return SSL_connect(tls_) == 1;
}

/// Blocks: on loopback that is the time of a few system calls, and it keeps the rest simple.
bool Peer::connect(const Options& options) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return false;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.tls && !start_tls()) {
        errno = EPROTO;
        return false;
    }
    watched_for_writing_ = false;
    return ::fcntl(fd_, F_SETFL, O_NONBLOCK) == 0;
}

/// As recv(): EAGAIN in errno where there is nothing yet.
ssize_t Peer::receive(char* to, std::size_t size) {
    if (tls_ == nullptr) {
        return ::recv(fd_, to, size, 0);
    }
    const int got = SSL_read(tls_, to, static_cast<int>(size));
    if (got > 0) {
        return got;
    }
    const int why = SSL_get_error(tls_, got);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t Peer::transmit(std::string_view bytes) {
    if (tls_ == nullptr) {
        return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    const int sent = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) {
        return sent;
    }
    const int why = SSL_get_error(tls_, sent);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

Client::Client(const Options& options, Exchanges& exchanges)
    : options_(options),
      exchanges_(exchanges),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(256U << 10U) {}

Client::~Client() {
    ::close(epoll_);
}

Peer& Client::add() {
    peers_.push_back(std::make_unique<Peer>());
    peers_.back()->index = peers_.size() - 1;
    return *peers_.back();
}

void Client::open(Peer& peer) {
    if (!peer.connect(options_)) {
        give_up(options_, "connect to");
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &peer;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer.fd_, &event);
}

void Client::open_all() {
    for (const auto& peer : peers_) {
        open(*peer);
    }
}

void Client::send(Peer& peer, std::string_view request) {
    peer.request_ = request;
    peer.sent_ = 0;
    peer.reader_.reset();
    peer.busy_ = true;
    push(peer);
}

void Client::push(Peer& peer) {
    const auto sent = peer.transmit(peer.request_.substr(peer.sent_));
    if (sent < 0 && errno != EAGAIN) {
        fail(peer, "closed as the request was sent");
        return;
    }
    peer.sent_ += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    const bool more = !peer.has_sent();
    if (more != peer.watched_for_writing_) {
        peer.watched_for_writing_ = more;
        epoll_event event{};
        event.events = EPOLLIN | (more ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
        event.data.ptr = &peer;
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.fd_, &event);
    }
}

void Client::fail(Peer& peer, const std::string& why) {
    const bool was_busy = peer.busy_;
    peer.close();
    if (was_busy) {
        exchanges_.on_broken(peer, why);
    }
}

/// False when the peer's exchange is over or broken.
bool Client::take(Peer& peer, std::string_view bytes) {
    const auto now = now_ns();
    const auto sink = [&](std::string_view piece) { exchanges_.on_body(peer, piece, now); };
    const auto taken = peer.reader_.take(bytes, sink);
    if (!peer.busy_) {
        return false;  // the mode has left it
    }
    if (peer.reader_.bad()) {
        fail(peer, "no valid HTTP");
        return false;
    }
    if (!peer.reader_.done()) {
        return true;
    }
    if (taken < bytes.size()) {
        fail(peer, "bytes behind the answer");
        return false;
    }
    peer.busy_ = false;
    if (peer.reader_.closes() || !peer.has_sent()) {
        peer.close();
    }
    exchanges_.on_reply(peer, now);
    return false;
}

void Client::pull(Peer& peer) {
    do {
        const auto got = peer.receive(buffer_.data(), buffer_.size());
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            fail(peer, "closed before its end");
            return;
        }
        if (!peer.busy_) {
            peer.close();
            return;
        }
        if (!take(peer, {buffer_.data(), static_cast<std::size_t>(got)})) {
            return;
        }
    } while (peer.tls_ != nullptr && SSL_pending(peer.tls_) > 0);
}

void Client::turn(std::uint64_t until) {
    std::array<epoll_event, 512> events{};
    const auto now = now_ns();
    const auto limit = to_timespec(until > now ? until - now : 0);
    const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &limit, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        auto& peer = *static_cast<Peer*>(event.data.ptr);
        if (peer.is_open() && (event.events & EPOLLOUT) != 0) {
            push(peer);
        }
        if (peer.is_open() && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
            pull(peer);
        }
    }
}

std::string make_request(const Options& options, const std::string& body) {
    std::string text = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:";
    text += std::to_string(options.port) + "\r\nUser-Agent: bench\r\nAccept: */*\r\n";
    if (!options.key.empty()) {
        text += "Authorization: Bearer " + options.key + "\r\n";
    }
    return text +
           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

}  // namespace bench
