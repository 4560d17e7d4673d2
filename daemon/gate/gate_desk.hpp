#pragma once

#include <cstdint>
#include <unordered_map>

#include "daemon/gate/messages.hpp"

namespace routerd {

/// Where a RemoteGate's requests stand in the queues: their tickets and leases on the core loop.
/// Core loop only. Both it and its RemoteGate must be without tickets and leases before the other
/// gate goes.
class GateDesk {
  public:
    /// `gate` is the core loop's and outlives it.
    GateDesk(const asio::any_io_executor& core, Gate& gate);

    /// What a RemoteGate is made with.
    Mailbox<gate::ToDesk>::Address address() const { return inbox_.address(); }
    const asio::any_io_executor& executor() const noexcept { return core_; }
    Gate& gate() noexcept { return gate_; }

    /// Whom it answers; before the first message.
    void answer_to(Mailbox<gate::FromDesk>::Address remote);

    /// How a waiting ticket does; `ticket` is the RemoteGate's number.
    asio::awaitable<Ticket::Progress> progress(std::uint64_t ticket) const;

    /// A lease that its RemoteGate has already under this number.
    void hold(std::uint64_t ticket, Lease lease) { granted_.emplace(ticket, std::move(lease)); }

    /// Tickets and leases.
    std::size_t size() const noexcept { return waiting_.size() + granted_.size(); }

    /// Its RemoteGate is gone: leaves all queues and gives all leases back.
    void clear();

  private:
    void take(gate::ToDesk&& message);
    void ask(const gate::Ask& message);
    void settle(std::uint64_t number, Ticket& ticket);
    void leave(const gate::Leave& message);

    asio::any_io_executor core_;
    Gate& gate_;
    std::unordered_map<std::uint64_t, Ticket> waiting_;
    std::unordered_map<std::uint64_t, Lease> granted_;
    Mailbox<gate::FromDesk>::Address remote_;
    Mailbox<gate::ToDesk> inbox_;
};

}  // namespace routerd
