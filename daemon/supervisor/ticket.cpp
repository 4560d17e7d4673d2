#include <utility>

#include "daemon/supervisor/fleet_core.hpp"
#include "daemon/supervisor/ticket_state.hpp"

namespace routerd {

Lease::Lease(Fleet& fleet, std::uint64_t ticket, std::uint64_t instance, Endpoint endpoint) noexcept
    : fleet_(&fleet), ticket_(ticket), instance_(instance), endpoint_(std::move(endpoint)) {}

Lease::Lease(Lease&& other) noexcept
    : fleet_(std::exchange(other.fleet_, nullptr)),
      ticket_(other.ticket_),
      instance_(other.instance_),
      endpoint_(std::move(other.endpoint_)),
      queued_(other.queued_),
      loaded_(other.loaded_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
    std::swap(fleet_, other.fleet_);
    std::swap(ticket_, other.ticket_);
    std::swap(instance_, other.instance_);
    std::swap(endpoint_, other.endpoint_);
    std::swap(queued_, other.queued_);
    std::swap(loaded_, other.loaded_);
    return *this;
}

Lease::~Lease() {
    if (fleet_ != nullptr) {
        fleet_->core_->release(ticket_);
    }
}

void Lease::on_instance_gone(std::function<void()> callback) {
    fleet_->core_->on_lease_end(ticket_, std::move(callback));
}

std::string Lease::instance_end() const {
    return fleet_->core_->end_of(instance_);
}

Ticket::Ticket(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}

Ticket::Ticket(Ticket&&) noexcept = default;

Ticket::~Ticket() {
    if (!state_) {
        return;
    }
    auto& core = *state_->fleet.core_;
    if (!state_->outcome) {
        core.leave(state_->id);
    } else if (*state_->outcome && !state_->taken) {
        core.release(state_->id);
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

void Ticket::cancel() {
    if (state_->outcome) {
        return;
    }
    state_->fleet.core_->leave(state_->id);
    state_->outcome = Error(Errc::cancelled, "the client went away");
    state_->tell();
}

Ticket::Progress Ticket::progress() const {
    return state_->fleet.core_->progress(*state_);
}

Result<Lease> Ticket::take() {
    if (!state_->outcome || state_->taken) {
        return Error(Errc::internal, "a ticket was taken before it was settled, or twice");
    }
    if (!*state_->outcome) {
        return state_->outcome->error();
    }
    state_->taken = true;
    const auto& grant = **state_->outcome;
    auto& core = *state_->fleet.core_;
    Lease lease(state_->fleet, state_->id, grant.instance, core.endpoint_of(grant.instance));
    lease.queued_ = grant.queued;
    lease.loaded_ = grant.loaded;
    return lease;
}

}  // namespace routerd
