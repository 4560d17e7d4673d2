#pragma once

#include <cstdint>
#include <string>

#include "daemon/scheduler/action.hpp"
#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {

/// What a server is chosen by, and what a grant is written down by. Its texts are somebody else's.
struct Wanted {
    const std::string& model;
    const std::string& key;
    std::uint64_t conversation = 0;
    TimePoint since;
    TimePoint rank;
    bool needs_slot = true;
};

/// The ready server that a request is best sent to: the one that has its conversation in its cache,
/// else the least busy one. nullptr: none has a slot free.
Resident* server_for(World& world, const Wanted& wanted);

/// Writes down that it runs on `resident` from now on.
Grant grant_on(World& world, TicketId ticket, const Wanted& wanted, Resident& resident,
               TimePoint now);

}  // namespace routerd::scheduler
