#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/scheduler/action.hpp"
#include "daemon/supervisor/decision_log.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/gate.hpp"

namespace routerd {

/// What a Ticket and the fleet share. Owned by the Ticket; the fleet forgets it when the ticket is
/// settled or gone.
struct Ticket::State {
    State(Fleet& owner, scheduler::TicketId number, const Demand& demand, DecisionLog::Stamp stamp,
          const asio::any_io_executor& executor)
        : fleet(owner),
          id(number),
          asker{demand.request_id, demand.model, stamp},
          key(demand.key),
          priority(demand.priority),
          home(executor) {}

    /// Wakes who waits.
    void tell() {
        if (settled) {
            settled->notify();
        }
    }

    Fleet& fleet;
    scheduler::TicketId id;
    DecisionLog::Asker asker;
    std::string key;  ///< name of the key that the request came with
    Priority priority;
    bool waits = false;  ///< it was not settled as it came
    const asio::any_io_executor& home;
    std::optional<Signal> settled;  ///< made for who waits: most are settled as they come
    std::optional<Result<scheduler::Grant>> outcome;
    bool taken = false;
};

}  // namespace routerd
