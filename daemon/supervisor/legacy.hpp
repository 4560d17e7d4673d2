#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/gate/gate.hpp"
#include "daemon/gate/ticket_state.hpp"

namespace routerd {

/// What a fleet leaves to that of another process, which takes its servers over while requests to
/// them still run here.
struct Legacy {
    /// A request that runs.
    struct Held {
        std::uint64_t ticket = 0;  ///< our number
        std::uint64_t instance = 0;
        std::string key;  ///< name of the key that it came with
        bool has_slot = true;
        bool is_limited = false;
    };

    /// A request that waits.
    struct Waiting {
        std::uint64_t ticket = 0;  ///< our number
        Demand demand;
        Ticket::State* state = nullptr;  ///< until it is settled or gone
    };

    std::vector<Held> held;
    std::vector<Waiting> waiting;      ///< who came first is first
    std::vector<std::string> loads;    ///< models that somebody wants loaded and does not wait for
    std::vector<std::string> unloads;  ///< models that somebody wants unloaded, and are busy
    std::uint64_t next_ticket = 1;     ///< no number from here on was used
};

}  // namespace routerd
