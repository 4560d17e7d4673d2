#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/scheduler/action.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/gate.hpp"

namespace routerd {

/// What a Ticket and the fleet share. Owned by the Ticket; the fleet forgets it when the ticket is
/// settled or gone.
struct Ticket::State {
    State(Fleet& owner, scheduler::TicketId number, std::string model_id,
          const asio::any_io_executor& executor)
        : fleet(owner), id(number), model(std::move(model_id)), settled(executor) {}

    Fleet& fleet;
    scheduler::TicketId id;
    std::string model;
    Signal settled;
    std::optional<Result<scheduler::Grant>> outcome;
    bool taken = false;
};

}  // namespace routerd
