#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/scheduler/scheduler.hpp"

namespace routerd {

/// What a request waits for, as data; what is not told by `why` is empty.
struct Wait {
    enum class Why {
        loading,        ///< its model's server starts
        no_slot,        ///< all `slots` of its model's server are taken
        server_ending,  ///< its model's server ends, and starts again then
        makes_room,     ///< `other` ends to make room for its model
        no_place,       ///< `limit` servers run (of models in `group`), and none of them may go yet
        no_room,        ///< `bytes` are not free on `device`, and no server there may go yet
        turn,           ///< nothing is in the way but those before it
    };
    Why why = Why::turn;
    std::string other{};         ///< a model
    std::uint64_t instance = 0;  ///< the server that it waits for
    unsigned busy = 0;           ///< requests that this server still answers
    unsigned slots = 0;
    std::size_t position = 0;  ///< from 1, in its model's queue
    std::size_t limit = 0;
    std::string group{};  ///< of models
    std::string device{};
    std::uint64_t bytes = 0;  ///< wanted there
    std::uint64_t free = 0;   ///< bytes
};

/// Of a ticket that waits; `turn` for any other.
Wait what_it_waits_for(const scheduler::Scheduler& scheduler, scheduler::TicketId ticket);

/// A sentence part: "all 4 slots are taken; 3 are before it".
std::string describe(const Wait& wait);

/// Why, and every figure that is set, by name.
std::vector<std::pair<std::string, std::string>> details(const Wait& wait);

}  // namespace routerd
