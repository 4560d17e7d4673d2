// What the stand-in sends, and when; upstream_server.cpp is how requests come in.
#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/proxy/upstream_server.hpp"

namespace bench {
namespace {

constexpr std::size_t most_unsent = 1U << 20U;  // bytes, of a client that does not read
constexpr std::size_t eager_writes = 4;         // of one stream before the next one's turn

constexpr const char* stream_head =
    "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: text/event-stream\r\n"
    "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

constexpr const char* opening_event =
    R"(data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant",)"
    R"("content":null}}],"created":1763730000,"id":"chatcmpl-bench","model":"m1",)"
    "\"object\":\"chat.completion.chunk\"}\n\n";

constexpr const char* closing_event =
    R"(data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1763730000,)"
    R"("id":"chatcmpl-bench","model":"m1","object":"chat.completion.chunk"})"
    "\n\n";

}  // namespace

void UpstreamServer::begin_stream(UpstreamConnection& c) {
    std::string begin = stream_head;
    append_chunk(begin, opening_event);
    send(c, begin);
    if (c.is_closed) {
        return;
    }
    if (c.ask.interval_us == 0) {
        eager_.emplace_back(c.fd, c.serial);
        return;
    }
    due_.push({c.next_at, c.fd, c.serial});
}

/// One write: the next tokens of the stream, and its end when these are the last.
void UpstreamServer::write_tokens(UpstreamConnection& c) {
    std::string bytes;
    const auto last = std::min(c.ask.tokens, c.sent + c.ask.batch);
    for (; c.sent < last; ++c.sent) {
        append_token(bytes, c.sent, now_ns());
    }
    if (c.sent < c.ask.tokens) {
        send(c, bytes);
        return;
    }
    append_chunk(bytes, closing_event);
    append_chunk(bytes, usage_event(c.sent, c.receipt));
    append_chunk(bytes, "data: [DONE]\n\n");
    bytes += "0\r\n\r\n";
    c.state = UpstreamConnection::State::reading;  // whole: who leaves now aborts nothing
    --open_;
    send(c, bytes);
}

void UpstreamServer::send(UpstreamConnection& c, std::string_view bytes) {
    if (c.out.empty()) {
        const auto sent = ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            close(c);
            return;
        }
        bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    if (!bytes.empty()) {
        c.out.append(bytes);
        watch(c, true);
    }
}

void UpstreamServer::flush(UpstreamConnection& c) {
    const auto sent = ::send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        close(c);
        return;
    }
    c.out.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
    if (!c.out.empty()) {
        return;
    }
    watch(c, false);
    if (c.is_stalled) {
        c.is_stalled = false;
        eager_.emplace_back(c.fd, c.serial);
    }
}

void UpstreamServer::watch(UpstreamConnection& c, bool writing) {
    if (c.is_writing == writing) {
        return;
    }
    c.is_writing = writing;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | (writing ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    event.data.fd = c.fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
}

/// Streams and answers whose time has come.
void UpstreamServer::serve_due() {
    const auto now = now_ns();
    while (!due_.empty() && due_.top().at <= now) {
        const auto due = due_.top();
        due_.pop();
        auto* c = find(due.fd, due.serial);
        if (c == nullptr || c->state == UpstreamConnection::State::reading) {
            continue;
        }
        if (c->state == UpstreamConnection::State::waiting) {
            c->state = UpstreamConnection::State::reading;
            --open_;
            c->ask.delay_us = 0;
            reply_to_chat(*c);
        } else if (c->ask.delay_us != 0) {
            c->ask.delay_us = 0;
            begin_stream(*c);
        } else {
            if (c->out.size() < most_unsent) {
                write_tokens(*c);
            }
            c->next_at += c->ask.interval_us * 1000;
            if (!c->is_closed && c->state == UpstreamConnection::State::streaming) {
                due_.push({c->next_at, c->fd, c->serial});
            }
        }
    }
}

/// Streams without interval: some writes each, in turns, as far as their clients read.
void UpstreamServer::serve_eager() {
    for (auto turns = eager_.size(); turns > 0; --turns) {
        const auto [fd, serial] = eager_.front();
        eager_.pop_front();
        auto* c = find(fd, serial);
        for (std::size_t i = 0; i < eager_writes && c != nullptr && c->out.empty() &&
                                c->state == UpstreamConnection::State::streaming;
             ++i) {
            write_tokens(*c);
            c = find(fd, serial);
        }
        if (c == nullptr || c->state != UpstreamConnection::State::streaming) {
            continue;
        }
        c->is_stalled = !c->out.empty();
        if (!c->is_stalled) {
            eager_.emplace_back(fd, serial);
        }
    }
}

void UpstreamServer::wait() {
    std::array<epoll_event, 512> events{};
    timespec limit{};
    timespec* until = nullptr;
    if (!eager_.empty()) {
        until = &limit;
    } else if (!due_.empty()) {
        const auto now = now_ns();
        const auto left = due_.top().at > now ? due_.top().at - now : 0;
        limit.tv_sec = static_cast<time_t>(left / 1'000'000'000);
        limit.tv_nsec = static_cast<long>(left % 1'000'000'000);
        until = &limit;
    }
    const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), until, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        on_ready(event.data.fd, event.events);
    }
}

void UpstreamServer::run() {
    for (;;) {
        wait();
        serve_due();
        serve_eager();
        closed_.clear();
    }
}

std::string UpstreamServer::stats() const {
    std::string text = "{\"pid\":" + std::to_string(::getpid()) +
                       ",\"open\":" + std::to_string(open_) +
                       ",\"aborted\":" + std::to_string(aborted_) + ",\"left\":[";
    for (const auto& [id, ns] : left_) {
        text +=
            (text.back() == '[' ? "[" : ",[") + std::to_string(id) + "," + std::to_string(ns) + "]";
    }
    return text + "]}";
}

}  // namespace bench
