#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/scheduler/ids.hpp"
#include "daemon/scheduler/ledger.hpp"
#include "daemon/scheduler/reason.hpp"

namespace routerd::scheduler {

/// Start a server; report it with on_ready() or on_exited().
struct Start {
    InstanceId instance = 0;
    std::string model;
    Footprint reserved;  ///< one of the model's placements
    Reason reason;
};

/// It gets no more requests. Stop follows when those in flight have ended.
struct Drain {
    InstanceId instance = 0;
    std::string model;
    Reason reason;
};

/// What it was drained for is not wanted any more: it serves again.
struct Reopen {
    InstanceId instance = 0;
    std::string model;
};

/// End the process; report it with on_exited().
struct Stop {
    InstanceId instance = 0;
    std::string model;
    Reason reason;
};

struct Grant {
    TicketId ticket = 0;
    InstanceId instance = 0;
    std::chrono::milliseconds queued{0};  ///< from the request to now
    std::chrono::milliseconds loaded{0};  ///< of it, while the model loaded
};

struct Refuse {
    TicketId ticket = 0;
    std::string model;
    Reason reason;
};

/// Call on_time() then; replaces the Wake before it.
struct Wake {
    TimePoint at;
};

using Action = std::variant<Start, Drain, Reopen, Stop, Grant, Refuse, Wake>;
using Actions = std::vector<Action>;

}  // namespace routerd::scheduler
