#include <utility>

#include "daemon/gate/ticket_state.hpp"

namespace routerd {

Lease::Lease(Lease&& other) noexcept
    : report(other.report),
      gate_(std::exchange(other.gate_, nullptr)),
      ticket_(other.ticket_),
      granted_(std::move(other.granted_)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
    std::swap(report, other.report);
    std::swap(gate_, other.gate_);
    std::swap(ticket_, other.ticket_);
    std::swap(granted_, other.granted_);
    return *this;
}

Lease::~Lease() {
    if (gate_ != nullptr) {
        gate_->release(ticket_, granted_.instance, report);
    }
}

asio::awaitable<std::string> Lease::end_within(std::chrono::milliseconds grace) const {
    return gate_->end_of(granted_.instance, grace);
}

Ticket::Ticket(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}

Ticket::Ticket(Ticket&&) noexcept = default;

Ticket::~Ticket() {
    if (!state_) {
        return;
    }
    if (!state_->outcome) {
        state_->gate.leave(state_->id);
    } else if (*state_->outcome && !state_->taken) {
        state_->gate.release(state_->id, (*state_->outcome)->instance, {});
    }
}

bool Ticket::settled() const noexcept {
    return state_->outcome.has_value();
}

asio::awaitable<bool> Ticket::wait_until(TimePoint deadline) {
    auto& settled = state_->settled ? *state_->settled : state_->settled.emplace(state_->home);
    while (!state_->outcome) {
        const bool notified = co_await settled.wait_until(deadline);
        if (!notified) {
            break;
        }
    }
    co_return state_->outcome.has_value();
}

void Ticket::on_settled(std::function<void()> callback) {
    state_->on_settled = std::move(callback);
}

void Ticket::cancel() {
    if (state_->outcome) {
        return;
    }
    state_->gate.leave(state_->id);
    state_->settle(Error(Errc::cancelled, "the client went away"));
}

asio::awaitable<Ticket::Progress> Ticket::progress() const {
    return state_->gate.progress(state_->id);
}

Result<Lease> Ticket::take() {
    if (!state_->outcome || state_->taken) {
        return Error(Errc::internal, "a ticket was taken before it was settled, or twice");
    }
    if (!*state_->outcome) {
        return state_->outcome->error();
    }
    state_->taken = true;
    return Lease(state_->gate, state_->id, std::move(**state_->outcome));
}

}  // namespace routerd
