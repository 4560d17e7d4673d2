#include "daemon/proxy/pipeline.hpp"

#include <chrono>
#include <utility>

#include "daemon/http/error_response.hpp"

namespace routerd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds silent_wait(2);  // a quick failure keeps its own status
constexpr seconds comment_interval(5);
constexpr milliseconds end_grace(100);  // a broken connection is seen before the process's end

asio::awaitable<Result<std::unique_ptr<Upstream>>> connect_to(UpstreamPool& pool,
                                                              const Endpoint& endpoint) {
    return endpoint.remote ? pool.connect(endpoint.remote->address)
                           : pool.connect(native_endpoint(endpoint));
}

}  // namespace

bool Pipeline::speaks_events() const noexcept {
    return peeked_.stream && kind_.has_events;
}

bool Pipeline::fail(Error error) {
    failure_ = std::make_unique<Error>(std::move(error));
    return false;
}

asio::awaitable<void> Pipeline::comment(const Ticket::Progress& progress) {
    if (!waited_aloud_) {
        waited_aloud_ = true;
        exchange_.add_header("x-router-model", account_.record.model);
        exchange_.add_header("x-accel-buffering", "no");
        const bool begun = co_await exchange_.begin_stream(200, "text/event-stream");
        if (!begun) {
            co_return;
        }
    }
    std::string text = ": queued " + std::to_string(progress.position);
    if (progress.phase == Ticket::Phase::loading) {
        text = ": loading";
        if (progress.loaded_percent) {
            text += " " + std::to_string(*progress.loaded_percent) + "%";
        }
    }
    text += "\n\n";
    co_await exchange_.write(text);
}

asio::awaitable<void> Pipeline::tell_how_it_goes(const Ticket& ticket) {
    const auto progress = co_await ticket.progress();
    if (!ticket.settled()) {
        co_await comment(progress);
    }
}

/// Until it is settled; a client that streams hears how it goes.
asio::awaitable<void> Pipeline::wait_for(Ticket& ticket) {
    exchange_.on_gone([&ticket] { ticket.cancel(); });
    auto next_comment = steady_clock::now() + silent_wait;
    while (!ticket.settled()) {
        const bool aloud = speaks_events();
        const auto until = aloud ? next_comment : TimePoint::max();
        const bool settled = co_await ticket.wait_until(until);
        if (!settled && aloud) {
            co_await tell_how_it_goes(ticket);
            next_comment = steady_clock::now() + comment_interval;
        }
    }
    exchange_.on_gone(nullptr);
}

/// False: failure_ says why it was refused. `asked`: since when it waits.
bool Pipeline::take_lease(TimePoint asked) {
    auto& record = account_.record;
    auto lease = ticket_->take();
    ticket_.reset();
    if (lease) {
        lease_.emplace(std::move(*lease));
        record.queued += lease_->queued();
        record.loaded += lease_->loaded();
        return true;
    }
    record.queued += std::chrono::duration_cast<milliseconds>(steady_clock::now() - asked);
    dropped_ = lease.error().code() == Errc::cancelled && !exchange_.gone();
    return fail(lease.error());
}

/// Completes failure_ by what is known of the server.
asio::awaitable<void> Pipeline::blame_server() {
    const bool by_server =
        failure_->code() == Errc::upstream_error || failure_->code() == Errc::unavailable;
    if (by_server && !exchange_.gone()) {
        const bool is_ours = lease_->endpoint().remote == nullptr;
        const auto grace = is_ours ? end_grace : milliseconds(0);  // no end of it would be seen
        const auto end = co_await lease_->end_within(grace);
        const auto message = failure_->message() + (end.empty() ? "" : ": ") + end;
        *failure_ = Error(Errc::upstream_error, message);
    }
    *failure_ = failure_->within("model '" + account_.record.model + "'");
}

/// Who leaves meanwhile gives up the slot at once: a server that is far may be waited for long.
asio::awaitable<bool> Pipeline::connect() {
    const auto endpoint = lease_->endpoint();
    exchange_.on_gone([this] { lease_.reset(); });
    auto connected = co_await connect_to(proxy_.pool_, endpoint);
    exchange_.on_gone(nullptr);
    if (!connected) {
        co_return fail(connected.error());
    }
    upstream_ = std::move(*connected);
    co_return !exchange_.gone() || fail(Error(Errc::cancelled, "the client left"));
}

/// A kept connection that turned out to be dead is replaced by a new one where the server cannot
/// have seen the request; nothing else is tried twice.
bool Pipeline::may_send_again() const {
    return !transfer_->outcome() && upstream_->is_reused() && transfer_->untouched() &&
           !exchange_.gone();
}

void Pipeline::connect_at_once() {
    const auto& endpoint = lease_->endpoint();
    if (!upstream_ && endpoint.remote == nullptr) {
        upstream_ = proxy_.pool_.connect_at_once(native_endpoint(endpoint));
    }
}

void Pipeline::send() {
    const Transfer::Limits limits{proxy_.limits_.first_byte_timeout, proxy_.limits_.stall_timeout};
    Transfer::Pilot& pilot = *this;
    transfer_ = std::make_unique<Transfer>(exchange_, *upstream_, pilot, limits,
                                           lease_->granted().server->heard);
    transfer_->start(head_, body_);
}

/// Asks the lease's server. False: it has no connection for that yet. No coroutine: most requests
/// only wait for their answer, and what each parked stream holds is not to grow.
bool Pipeline::ask_at_once() {
    const auto& endpoint = lease_->endpoint();
    head_ = request_head(exchange_, make_outgoing(body_), endpoint.remote.get());
    upstream_ = proxy_.pool_.take_idle(lease_->instance());
    connect_at_once();
    if (upstream_) {
        send();
    }
    return upstream_ != nullptr;
}

/// Asks again, or for the first time, over a connection that has to be made. False: failure_ says
/// what went wrong before anything was sent, and where the client left there is no lease any more.
asio::awaitable<bool> Pipeline::ask_patiently() {
    if (upstream_) {
        upstream_.reset();
        connect_at_once();
    }
    for (;;) {
        bool connected = upstream_ != nullptr;
        if (!connected) {
            connected = co_await connect();
        }
        if (!connected) {
            co_return false;
        }
        send();
        if (!transfer_->settled()) {
            co_await transfer_->wait();
        }
        if (!may_send_again()) {
            co_return true;
        }
        upstream_.reset();
        connect_at_once();
    }
}

/// Of prompt and answer. A stream that broke off, or whose client left, said nothing of them, and
/// is not for nothing: about one token came with each piece, and the prompt had about one in four
/// bytes, unless it is a form's: most of that is a file.
std::uint64_t Pipeline::tokens_used(const TailTap::Figures& figures) const {
    constexpr std::uint64_t bytes_a_token = 4;
    const bool is_unsaid = !figures.prompt_tokens && !figures.completion_tokens;
    if (is_unsaid && !transfer_->outcome() && transfer_->status() == 200 && peeked_.stream) {
        return transfer_->pieces() + (is_form_ ? 0 : body_.size() / bytes_a_token);
    }
    return figures.prompt_tokens.value_or(0) + figures.completion_tokens.value_or(0);
}

/// Writes down how it went, where the server was asked at all. False: failure_ says what went
/// wrong.
bool Pipeline::conclude(bool was_asked) {
    if (!was_asked) {
        return false;
    }
    describe();
    auto& record = account_.record;
    const auto& outcome = transfer_->outcome();
    if (transfer_->status() != 0) {
        const auto figures = transfer_->tap().figures();
        record.bytes = transfer_->bytes();
        record.tokens_per_second = figures.tokens_per_second;
        record.completion_tokens = figures.completion_tokens;
        record.prompt_tokens = figures.prompt_tokens;
        record.first_byte = std::chrono::duration_cast<std::chrono::microseconds>(
            transfer_->answered_at() - account_.begun());
        lease_->report.tokens_per_second = figures.tokens_per_second;
        lease_->report.tokens = tokens_used(figures);
    }
    if (outcome) {
        lease_->report.answered = Answered::whole;
        if (transfer_->reusable()) {
            proxy_.pool_.give_back(lease_->instance(), std::move(upstream_));
        }
        if (!says_it_anew_) {
            exchange_.mark_finished();
        }
        return true;
    }
    if (outcome.error().code() == Errc::deadline_exceeded) {
        lease_->report.answered = transfer_->status() == 0 ? Answered::late : Answered::stalled;
    }
    return fail(outcome.error());
}

void Pipeline::note_status() {
    auto& record = account_.record;
    if (!failure_) {
        record.status = exchange_.status();
        return;
    }
    const bool has_left = exchange_.gone();  // not when we end it
    record.status = has_left ? 499 : http_status(*failure_);
    if (record.error.empty()) {
        record.error = failure_->message();
    }
}

/// After a failure. True: nothing was sent to a server of ours, and it has ended, so that a new one
/// may answer; then there is no failure any more. Else failure_ is completed.
asio::awaitable<bool> Pipeline::is_for_a_new_server(bool may_be) {
    const bool may_be_gone = may_be && lease_ && lease_->endpoint().remote == nullptr &&
                             failure_->code() == Errc::unavailable;
    if (may_be_gone) {
        const auto end = co_await lease_->end_within(end_grace);
        if (!end.empty()) {
            failure_.reset();
            co_return true;
        }
    }
    co_await blame_server();
    co_return false;
}

/// What the gate must be asked before there is a demand. False: failure_ says why it must not.
asio::awaitable<bool> Pipeline::ask_gate_first() {
    if (is_counted()) {
        const bool may = co_await count_request();
        if (!may) {
            co_return false;
        }
    }
    if (!meant_.model) {
        co_await choose_in_tier();
    }
    co_return true;
}

asio::awaitable<void> Pipeline::run(std::unique_ptr<Pipeline> pipeline) {
    auto& self = *pipeline;
    bool goes_on = self.find_model();
    if (goes_on && self.must_ask_gate_first()) {
        goes_on = co_await self.ask_gate_first();
    }
    goes_on = goes_on && self.prepare();
    for (bool may_retry = true; goes_on; may_retry = false) {
        const auto asked = turn_now();
        self.ticket_.emplace(self.proxy_.services_.gate.request(self.demand_));
        if (!self.ticket_->settled()) {
            co_await self.wait_for(*self.ticket_);
        }
        if (!self.take_lease(asked)) {
            break;
        }
        bool answered = self.ask_at_once();
        if (answered && !self.transfer_->settled()) {
            co_await self.transfer_->wait();
        }
        if (!answered || self.may_send_again()) {
            answered = co_await self.ask_patiently();
        }
        answered = self.conclude(answered);
        if (answered && self.says_it_anew_) {
            answered = co_await self.answer_error();
        }
        goes_on = false;
        if (!answered) {
            goes_on = co_await self.is_for_a_new_server(may_retry);
        }
        self.lease_.reset();  // its slot is for others while this client reads what went wrong
    }
    self.exchange_.on_gone(nullptr);
    self.note_status();
    if (self.failure_) {
        co_await self.end_with_error();
    }
}

}  // namespace routerd
