#include "daemon/proxy/transfer.hpp"

#include <array>
#include <utility>

#include "common/base/free_memory.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

using http::BodyKind;
using State = Stream::Outcome::State;

constexpr unsigned reads_at_once = 16;  // then others have their turn

Error client_left() {
    return {Errc::cancelled, "the client left"};
}

}  // namespace

bool Transfer::complete() const noexcept {
    return ended_ || kind_ == BodyKind::none || (kind_ == BodyKind::length && left_ == 0) ||
           (kind_ == BodyKind::chunked && decoder_.done());
}

/// Not after a stream of ours: llama-server ends the connection then, without having said so, and
/// meanwhile reads and throws away what it is sent, so that a request could not be told from one it
/// began.
bool Transfer::reusable() const noexcept {
    const bool is_over = kind_ == BodyKind::chunked && !upstream_.is_remote();
    return !is_over && keep_alive_ && !excess_ && !ended_ && status_ != 0 && complete() &&
           to_send_.empty() && !upstream_.stream().has_unsent();
}

bool Transfer::at_boundary() const noexcept {
    return to_client_.empty() &&
           (way_ != Way::verbatim || (kind_ == BodyKind::chunked && decoder_.at_chunk_start()));
}

void Transfer::settle(Result<void> outcome) {
    outcome_ = std::move(outcome);
}

void Transfer::settle_bad(std::string_view what, std::string_view why) {
    settle(Error(Errc::upstream_error,
                 "the model's server " + std::string(what) + ": " + std::string(why)));
}

/// The two connections are others' again.
void Transfer::let_go() {
    end_loan();
    upstream_.set_user(nullptr);
    upstream_.stream().clear_deadline();
    exchange_.connection().on_gone(nullptr);
    exchange_.connection().on_writable(nullptr, {});
}

/// When settled, goes on with the coroutine, which may destroy this: the last thing that an event
/// does.
void Transfer::wake() {
    if (outcome_) {
        let_go();
        finished_.resume();
    }
}

void Transfer::start(std::string_view head, std::string_view body) {
    auto& connection = exchange_.connection();
    request_ = {asio::buffer(head), asio::buffer(body)};
    to_send_ = request_;
    upstream_.make_room(body.size());
    if (upstream_.may_borrow()) {
        const auto joined = connection.join(head, body);
        lends_ = connection.lend(body);
        if (lends_ && !joined.empty()) {  // one piece goes with one call less
            to_send_ = to_send_.last(1);
            to_send_.front() = asio::buffer(joined);
        }
    }
    mark_ = upstream_.stream().mark();
    upstream_.set_user(this);
    upstream_.stream().set_deadline(turn_now() + limits_.first_byte);
    connection.on_gone([this] { on_client_gone(); });
    if (!outcome_) {
        send_request();
    }
    if (outcome_) {
        let_go();
    }
}

/// Does not wake: its caller does, or nobody sleeps yet.
void Transfer::send_request() {
    auto& stream = upstream_.stream();
    const auto sent = lends_ ? stream.lend(to_send_) : stream.write(to_send_);
    if (sent.state == State::would_block) {
        stream.wait_for_output();
    } else if (sent.state == State::failed) {
        // A server may answer, and close, before it has read all: its answer counts, not our
        // failure.
        send_error_ = sent.error;
        if (!stream.readable()) {
            on_server_failure(sent.error);
        } else {
            stream.read_again();
        }
    }
}

/// A server that has not read all of it may do so at any later time: its memory then is not used
/// for anything else, but given back to the system.
void Transfer::end_loan() {
    if (std::exchange(lends_, false) && upstream_.stream().took_all()) {
        exchange_.connection().take_back();
    }
}

void Transfer::on_upstream_writable() {
    send_request();
    wake();
}

void Transfer::on_upstream_expired() {
    if (status_ == 0) {
        settle(Error(Errc::deadline_exceeded,
                     "the model's server did not begin to answer within " +
                         std::to_string(limits_.first_byte.count() / 1000) + " s")
                   .with_hint("raise [limits] first_byte_timeout, or see routerctl logs"));
    } else {
        settle(Error(Errc::deadline_exceeded, "the model's server sent nothing for " +
                                                  std::to_string(limits_.stall.count() / 1000) +
                                                  " s"));
    }
    wake();
}

/// At once: the server stops computing what nobody reads. Of many clients who leave at once all
/// servers hear first; what they held is put away after that.
void Transfer::on_client_gone() {
    upstream_.stream().hang_up();
    settle(client_left());
    let_go();
    if (finished_.has_sleeper()) {
        upstream_.stream().loop().put_away([this] {
            upstream_.stream().close();
            finished_.resume();
        });
    }
}

void Transfer::pump() {
    auto& stream = upstream_.stream();
    const auto early = blocked_ || outcome_ ? std::string_view() : stream.read_early();
    if (!early.empty()) {
        heard_.note(turn_now());
        take(early);
    }
    const auto scratch = stream.loop().scratch();
    for (unsigned reads = 0; stream.readable() && !blocked_ && !outcome_; ++reads) {
        if (reads == reads_at_once) {
            stream.read_again();
            return;
        }
        const auto got = stream.read(scratch);
        if (got.state == State::would_block) {
            break;
        }
        if (got.state == State::moved) {
            heard_.note(turn_now());
            take({scratch.data(), got.count});
        } else if (got.state == State::end) {
            on_server_end();
        } else {
            on_server_failure(got.error);
        }
    }
    if (!outcome_ && !blocked_ && status_ != 0) {
        stream.set_deadline(turn_now() + limits_.stall);
    }
    wake();
}

/// Sends what waits in to_client_, then `piece`; what the client does not take is kept.
void Transfer::pass_on(std::string_view piece) {
    std::array<asio::const_buffer, 2> pieces{asio::buffer(to_client_), asio::buffer(piece)};
    std::span<asio::const_buffer> left(pieces);
    auto& connection = exchange_.connection();
    if (!connection.send_some(left)) {
        upstream_.stream().close();
        return settle(client_left());
    }
    if (left.empty()) {
        free_memory(to_client_);  // a stream that waits holds no more than it needs
        blocked_ = false;
    } else {
        std::string kept;
        for (const auto& buffer : left) {
            kept.append(static_cast<const char*>(buffer.data()), buffer.size());
        }
        to_client_ = std::move(kept);
        blocked_ = true;
        upstream_.stream().clear_deadline();
        connection.on_writable([this] { on_client_writable(); }, exchange_.send_deadline());
    }
    if (complete() && !blocked_) {
        settle({});
    }
}

void Transfer::on_client_writable() {
    pass_on({});
    if (!blocked_ && !outcome_) {
        return pump();
    }
    wake();
}

void Transfer::on_server_end() {
    if (status_ == 0) {
        return on_server_failure(0);
    }
    if (kind_ != BodyKind::until_close) {
        return settle(Error(Errc::upstream_error,
                            "the model's server broke off in the middle of its answer"));
    }
    ended_ = true;
    take_body({});
}

void Transfer::on_server_failure(int error) {
    if (status_ != 0) {
        return settle(Error(Errc::upstream_error,
                            "the model's server broke off in the middle of its answer"));
    }
    if (begun_) {
        return settle(Error(Errc::upstream_error,
                            "the model's server closed in the middle of its answer's head"));
    }
    const auto method = exchange_.head().method;
    const int cause = send_error_ != 0 ? send_error_ : error;
    // RFC 9110 9.2.2: what a server may have begun to do is not asked of it twice.
    untouched_ =
        method == "GET" || method == "HEAD" || upstream_.stream().peer_took_nothing(mark_, cause);
    settle(
        Error(Errc::upstream_error, "the model's server closed the connection without an answer"));
}

}  // namespace routerd
