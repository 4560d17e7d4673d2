#include "tests/bench/proxy/upstream_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bench {
namespace {

constexpr std::size_t most_remembered = 16384;  // requests whose client left
constexpr std::size_t largest_head = 64U << 10U;

std::string failure(const std::string& what) {
    return what + ": " + std::strerror(errno);  // NOLINT(concurrency-mt-unsafe)
}

/// The value of a header of a head whose names we compare without regard to case.
std::string_view header(std::string_view head, std::string_view name) {
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
        at += 2;
        const auto line = head.substr(at, head.find("\r\n", at) - at);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
            const auto value = line.substr(name.size() + 1);
            return value.substr(std::min(value.size(), value.find_first_not_of(' ')));
        }
    }
    return {};
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            break;
        }
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::string chat_answer(const Ask& ask, const std::string& receipt) {
    std::string body = R"({"choices":[{"finish_reason":"stop","index":0,"message":)"
                       R"({"role":"assistant","content":")";
    const auto end = R"("}}],"created":1763730000,"id":"chatcmpl-bench","model":"m1",)"
                     R"("object":"chat.completion","usage":{"completion_tokens":32,)"
                     R"("prompt_tokens":64,"total_tokens":96},)" +
                     receipt + "}";
    body.append(ask.reply - std::min(ask.reply, body.size() + end.size()), 'w');
    return body + end;
}

}  // namespace

UpstreamServer::UpstreamServer() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string UpstreamServer::listen(int fd, const std::string& where) {
    if (::listen(fd, 4096) != 0) {
        return failure("listen on " + where);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    listeners_.push_back(fd);
    return {};
}

std::string UpstreamServer::listen_on_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return "listen on '" + path + "': a Unix socket's path has at most 107 bytes";
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    ::unlink(path.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return failure("bind to '" + path + "'");
    }
    return listen(fd, "'" + path + "'");
}

std::string UpstreamServer::listen_on_port(const std::string& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(to_number(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return failure("bind to 127.0.0.1:" + port);
    }
    return listen(fd, "127.0.0.1:" + port);
}

void UpstreamServer::accept_from(int listener) {
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;  // fails on a Unix socket, which does not need it
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto place = static_cast<std::size_t>(fd);
        if (connections_.size() <= place) {
            connections_.resize(place + 64);
        }
        connections_[place] = std::make_unique<UpstreamConnection>();
        auto& c = *connections_[place];
        c.fd = fd;
        c.serial = ++serials_;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP;
        event.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
}

UpstreamConnection* UpstreamServer::find(int fd, std::uint64_t serial) {
    auto* c = connections_[static_cast<std::size_t>(fd)].get();
    return c != nullptr && c->serial == serial ? c : nullptr;
}

void UpstreamServer::close(UpstreamConnection& c) {
    if (c.is_closed) {
        return;
    }
    if (c.state != UpstreamConnection::State::reading) {
        --open_;
        ++aborted_;
        left_.emplace_back(c.ask.id, now_ns());
        if (left_.size() > most_remembered) {
            left_.pop_front();
        }
    }
    c.is_closed = true;
    ::close(c.fd);
    closed_.push_back(std::move(connections_[static_cast<std::size_t>(c.fd)]));
}

void UpstreamServer::on_ready(int fd, std::uint32_t events) {
    const auto place = static_cast<std::size_t>(fd);
    if (std::ranges::find(listeners_, fd) != listeners_.end()) {
        accept_from(fd);
        return;
    }
    if (connections_.size() <= place || !connections_[place]) {
        return;
    }
    auto& c = *connections_[place];
    if ((events & EPOLLOUT) != 0) {
        flush(c);
    }
    if (!c.is_closed && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        read(c);
    }
}

void UpstreamServer::read(UpstreamConnection& c) {
    static std::array<char, 256U << 10U> buffer;
    const auto got = ::recv(c.fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        close(c);
        return;
    }
    c.in.append(buffer.data(), static_cast<std::size_t>(got));
    while (!c.is_closed && c.state == UpstreamConnection::State::reading && answer_next(c)) {
    }
}

/// Answers one whole request and takes it off what has arrived; false when there is none yet.
bool UpstreamServer::answer_next(UpstreamConnection& c) {
    const auto head_end = c.in.find("\r\n\r\n");
    if (head_end == std::string::npos) {
        if (c.in.size() > largest_head) {
            close(c);
        }
        return false;
    }
    const auto head = std::string_view(c.in).substr(0, head_end + 2);
    const auto length = to_number(header(head, "content-length"));
    const auto whole = head_end + 4 + length;
    if (c.in.size() < whole) {
        c.in.reserve(whole);
        return false;
    }
    const auto target_at = head.find(' ') + 1;
    const auto target = head.substr(target_at, head.find(' ', target_at) - target_at);
    answer(c, target.substr(0, target.find('?')),
           std::string_view(c.in).substr(head_end + 4, length));
    c.in.erase(0, whole);
    return true;
}

void UpstreamServer::answer(UpstreamConnection& c, std::string_view target, std::string_view body) {
    if (target == "/health") {
        reply(c, "200 OK", R"({"status":"ok"})");
    } else if (target == "/stats") {
        reply(c, "200 OK", stats());
    } else if (target == "/v1/chat/completions") {
        c.ask = read_ask(body);
        c.receipt = receipt(body);
        reply_to_chat(c);
    } else {
        reply(c, "404 Not Found", R"({"error":{"code":404,"message":"File Not Found"}})");
    }
}

void UpstreamServer::reply_to_chat(UpstreamConnection& c) {
    if (!c.ask.stream && c.ask.delay_us == 0) {
        reply(c, "200 OK", chat_answer(c.ask, c.receipt));
        return;
    }
    ++open_;
    c.state =
        c.ask.stream ? UpstreamConnection::State::streaming : UpstreamConnection::State::waiting;
    c.sent = 0;
    c.next_at = now_ns() + c.ask.delay_us * 1000;
    if (c.ask.stream && c.ask.delay_us == 0) {
        begin_stream(c);
    } else {
        due_.push({c.next_at, c.fd, c.serial});
    }
}

void UpstreamServer::reply(UpstreamConnection& c, std::string_view status, std::string_view body) {
    std::string text = "HTTP/1.1 ";
    text.append(status).append("\r\nServer: llama.cpp\r\nContent-Type: application/json; ");
    text.append("charset=utf-8\r\nContent-Length: ").append(std::to_string(body.size()));
    text.append("\r\n\r\n").append(body);
    send(c, text);
}

}  // namespace bench
