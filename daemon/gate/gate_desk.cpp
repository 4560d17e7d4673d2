#include "daemon/gate/gate_desk.hpp"

#include <utility>

namespace routerd {

GateDesk::GateDesk(const asio::any_io_executor& core, Gate& gate)
    : core_(core),
      gate_(gate),
      inbox_(core, [this](gate::ToDesk&& message) { take(std::move(message)); }) {}

void GateDesk::answer_to(Mailbox<gate::FromDesk>::Address remote) {
    remote_ = std::move(remote);
    // The address alone: the gate may call this after the desk is gone.
    gate_.on_closing_instance(
        [to = remote_](std::uint64_t instance) { to.send(gate::Closing{instance}); });
}

void GateDesk::take(gate::ToDesk&& message) {
    if (const auto* asked = std::get_if<gate::Ask>(&message)) {
        ask(*asked);
    } else if (const auto* left = std::get_if<gate::Leave>(&message)) {
        leave(*left);
    }
}

void GateDesk::ask(const gate::Ask& message) {
    const auto number = message.ticket;
    auto ticket = gate_.request(message.demand);
    if (ticket.settled()) {
        return settle(number, ticket);
    }
    auto& waiting = waiting_.emplace(number, std::move(ticket)).first->second;
    waiting.on_settled([this, number] {
        auto settled = waiting_.extract(number);
        settle(number, settled.mapped());
    });
}

void GateDesk::settle(std::uint64_t number, Ticket& ticket) {
    auto lease = ticket.take();
    if (!lease) {
        return remote_.send(gate::Settled{number, lease.error()});
    }
    remote_.send(gate::Settled{number, lease->granted()});
    granted_.emplace(number, std::move(*lease));
}

void GateDesk::leave(const gate::Leave& message) {
    // Out of the map first: one that leaves may settle another, which looks at the maps.
    auto granted = granted_.extract(message.ticket);
    if (granted.empty()) {
        const auto leaving = waiting_.extract(message.ticket);
        return;
    }
    granted.mapped().report = message.report;
}

void GateDesk::clear() {
    while (!waiting_.empty()) {  // one that leaves may settle another
        const auto leaving = waiting_.extract(waiting_.begin());
    }
    granted_.clear();
}

asio::awaitable<Ticket::Progress> GateDesk::progress(std::uint64_t ticket) const {
    const auto waiting = waiting_.find(ticket);
    if (waiting == waiting_.end()) {
        co_return Ticket::Progress();  // settled meanwhile
    }
    co_return co_await waiting->second.progress();
}

}  // namespace routerd
