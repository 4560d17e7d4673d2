#include "tests/bench/proxy/streams.hpp"

#include <algorithm>

#include <unistd.h>

namespace bench {
namespace {

/// Not those of a run before: the stand-in remembers who left it.
std::uint64_t new_ids() {
    return (static_cast<std::uint64_t>(::getpid()) << 24U) + (now_ns() & 0xFFU) * 65536;
}

void note(std::string& fault, const char* what) {
    if (fault.empty()) {
        fault = what;
    }
}

}  // namespace

Streams::Streams(const Options& options)
    : options_(options),
      client_(options, *this),
      first_id_(new_ids()),
      streams_(options.connections) {
    auto ask = options.ask;
    for (auto& stream : streams_) {
        ask.id = first_id_ + client_.add().index;
        const auto body = make_body(ask, options.model, options.body);
        stream.request = make_request(options, body);
        stream.receipt = receipt(body);
    }
    open_ = streams_.size();
}

void Streams::run(double seconds) {
    client_.open_all();
    const auto begin = now_ns();
    const auto until = begin + static_cast<std::uint64_t>(seconds * 1e9);
    const auto pause = options_.ramp_ms * 1'000'000 / std::max<std::uint64_t>(1, streams_.size());
    std::size_t sent = 0;
    for (auto now = begin; open_ > 0 && !is_enough() && now < until; now = now_ns()) {
        for (; sent < streams_.size() && begin + sent * pause <= now; ++sent) {
            streams_[sent].asked_ns = now_ns();
            client_.send(*client_.peers()[sent], streams_[sent].request);
        }
        const auto next = sent < streams_.size() ? begin + sent * pause : until;
        client_.turn(std::min(next, until));
    }
}

void Streams::finish(Stream& stream) {
    if (stream.is_over) {
        return;
    }
    stream.is_over = true;
    --open_;
    if (stream.left_ns != 0) {
        return;
    }
    if (stream.fault.empty()) {
        ++good_;
        return;
    }
    ++broken_;
    ++faults_[stream.fault];
}

void Streams::end_all(const std::string& why) {
    for (const auto& peer : client_.peers()) {
        auto& each = stream(*peer);
        if (!each.is_over) {
            note(each.fault, why.c_str());
            peer->close();
            finish(each);
        }
    }
}

void Streams::leave(Peer& peer) {
    auto& mine = stream(peer);
    mine.left_ns = now_ns();
    peer.close();
    finish(mine);
}

void Streams::on_event(Stream& stream, std::string_view event, std::uint64_t now) {
    const auto read = read_event(event, stream.tokens);
    if (stream.has_done) {
        note(stream.fault, "events behind [DONE]");
    }
    switch (read.kind) {
        case Event::token:
            break;
        case Event::missing:
            note(stream.fault, "a token is missing");
            break;
        case Event::repeated:
            note(stream.fault, "a token came again");
            break;
        case Event::altered:
            note(stream.fault, "an event is altered");
            break;
        case Event::usage:
            stream.has_usage = number_field(event, "completion_tokens") == options_.ask.tokens;
            if (event.find(stream.receipt) == std::string_view::npos) {
                note(stream.fault, "the request is altered");
            }
            break;
        case Event::done:
            stream.has_done = true;
            break;
        case Event::comment:
        case Event::other:
            break;
    }
    if (read.sent_ns == 0) {
        return;
    }
    delays_.add(now - std::min(now, read.sent_ns));
    if (stream.tokens == 0) {
        first_token_.add(now - stream.asked_ns);
    }
    ++stream.tokens;
    ++tokens_;
}

void Streams::on_body(Peer& peer, std::string_view piece, std::uint64_t now) {
    auto& mine = stream(peer);
    if (!options_.ask.stream || peer.status() != 200 || mine.is_over) {
        mine.rest += piece;
        return;
    }
    if (!mine.rest.empty()) {
        mine.rest += piece;
        piece = mine.rest;
    }
    std::size_t at = 0;
    for (auto end = piece.find("\n\n"); end != std::string_view::npos;
         end = piece.find("\n\n", at)) {
        on_event(mine, piece.substr(at, end - at), now);
        at = end + 2;
    }
    mine.rest = std::string(piece.substr(at));
    on_progress(peer);
}

/// What a stream that ended properly, as HTTP sees it, still lacks.
std::string Streams::missing(const Peer& peer, const Stream& stream) const {
    if (peer.status() != 200) {
        return "status " + std::to_string(peer.status());
    }
    if (!options_.ask.stream) {
        const bool arrived = stream.rest.find(stream.receipt) != std::string::npos;
        return arrived ? "" : "request or answer altered";
    }
    if (stream.tokens != options_.ask.tokens) {
        return stream.tokens < options_.ask.tokens ? "a token is missing" : "a token came again";
    }
    if (!stream.rest.empty()) {
        return "half an event at the end";
    }
    if (!stream.has_usage) {
        return "no right usage";
    }
    return stream.has_done ? "" : "no [DONE]";
}

void Streams::on_reply(Peer& peer, std::uint64_t /*now*/) {
    auto& mine = stream(peer);
    note(mine.fault, missing(peer, mine).c_str());
    finish(mine);
}

void Streams::on_broken(Peer& peer, const std::string& why) {
    auto& mine = stream(peer);
    note(mine.fault, why.c_str());
    finish(mine);
}

void Streams::report(Report& to) {
    to.number("streams", static_cast<double>(streams_.size()));
    to.number("good", static_cast<double>(good_));
    to.number("broken", static_cast<double>(broken_));
    for (const auto& [why, count] : faults_) {
        to.number("broken: " + why, static_cast<double>(count));
    }
    to.number("tokens", static_cast<double>(tokens_));
    delays_.report(to, "delay");
    first_token_.report(to, "first_token");
}

}  // namespace bench
