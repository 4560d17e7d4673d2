#include "daemon/gate/remote_gate.hpp"

#include <memory>
#include <utility>

#include "daemon/gate/ticket_state.hpp"
#include "daemon/net/await_on.hpp"

namespace routerd {

RemoteGate::RemoteGate(const asio::any_io_executor& executor, GateDesk& desk)
    : executor_(executor),
      desk_(desk),
      to_desk_(desk.address()),
      inbox_(executor, [this](gate::FromDesk&& message) { take(std::move(message)); }) {}

Ticket RemoteGate::request(const Demand& demand) {
    auto state = std::make_unique<Ticket::State>(*this, next_++, executor_);
    waiting_.emplace(state->id, state.get());
    to_desk_.send(gate::Ask{state->id, demand});
    return Ticket(std::move(state));
}

void RemoteGate::take(gate::FromDesk&& message) {
    if (auto* settled = std::get_if<gate::Settled>(&message)) {
        const auto waiting = waiting_.find(settled->ticket);
        if (waiting != waiting_.end()) {  // else it has left, and the desk hears of that
            auto* ticket = waiting->second;
            waiting_.erase(waiting);
            ticket->settle(std::move(settled->outcome));
        }
    } else if (const auto* closing = std::get_if<gate::Closing>(&message)) {
        for (const auto& callback : on_closing_) {
            callback(closing->instance);
        }
    }
}

void RemoteGate::leave(std::uint64_t ticket) {
    waiting_.erase(ticket);
    to_desk_.send(gate::Leave{ticket, {}});
}

void RemoteGate::release(std::uint64_t ticket, std::uint64_t /*instance*/,
                         const LeaseReport& report) {
    to_desk_.send(gate::Leave{ticket, report});
}

void RemoteGate::on_closing_instance(std::function<void(std::uint64_t)> callback) {
    on_closing_.push_back(std::move(callback));
}

asio::awaitable<Admission> RemoteGate::admit(std::string key) {
    auto work = [this, &key] { return desk_.gate().admit(key); };
    co_return co_await await_on<Admission>(desk_.executor(), std::move(work));
}

asio::awaitable<std::size_t> RemoteGate::least_busy(std::vector<std::string> models) {
    auto work = [this, &models] { return desk_.gate().least_busy(models); };
    co_return co_await await_on<std::size_t>(desk_.executor(), std::move(work));
}

asio::awaitable<Ticket::Progress> RemoteGate::progress(std::uint64_t ticket) {
    auto work = [this, ticket] { return desk_.progress(ticket); };
    co_return co_await await_on<Ticket::Progress>(desk_.executor(), std::move(work));
}

asio::awaitable<std::string> RemoteGate::end_of(std::uint64_t instance,
                                                std::chrono::milliseconds grace) {
    auto work = [this, instance, grace] { return desk_.gate().end_of(instance, grace); };
    co_return co_await await_on<std::string>(desk_.executor(), std::move(work));
}

}  // namespace routerd
