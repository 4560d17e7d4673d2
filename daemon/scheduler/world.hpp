#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/scheduler/action.hpp"
#include "daemon/scheduler/conversations.hpp"
#include "daemon/scheduler/ledger.hpp"
#include "daemon/scheduler/line.hpp"
#include "daemon/scheduler/popularity.hpp"
#include "daemon/scheduler/priority.hpp"

namespace routerd::scheduler {

using Milliseconds = std::chrono::milliseconds;

/// Never negative.
inline Milliseconds between(TimePoint from, TimePoint to) {
    return std::chrono::duration_cast<Milliseconds>(std::max(to - from, TimePoint::duration(0)));
}

/// What the configuration says to the scheduler.
struct Rules {
    unsigned max_loaded = 0;  ///< servers at once; 0: no limit
    std::size_t queue_size = 500;
    Milliseconds max_wait{5000};
    Milliseconds min_residency{2000};
    Milliseconds aging{30000};
    Milliseconds drain_timeout{30000};  ///< for commands and shutdown; an eviction waits for ever
    unsigned quarantine_after = 10;     ///< failures in a row, then no start until it is reset
    bool yield_to_others = false;       ///< idle models leave when other processes need their room
    std::map<std::string, unsigned> groups;  ///< servers at once of the models in each group
};

/// What it knows of a model that may run.
struct ModelRules {
    unsigned slots = 1;
    unsigned instances = 1;  ///< servers at most; further ones start as requests wait
    Places places;           ///< that each of its servers takes
    bool pinned = false;
    Milliseconds idle_unload{0};  ///< 0: never
    std::string
        fingerprint;  ///< of its command line: another means another server; empty: not known
    std::vector<Footprint> placements;  ///< where it may run, the best first; empty: needs no bytes
};

enum class Phase { starting, ready, draining, stopping };

/// One server.
struct Resident {
    InstanceId id = 0;
    std::string model;
    std::string fingerprint;
    Phase phase = Phase::starting;
    unsigned slots = 1;
    unsigned busy = 0;        ///< slots taken
    unsigned passengers = 0;  ///< requests that need no slot
    Footprint reserved;       ///< what it is taken to hold, until its process has ended
    Places places;            ///< that it takes
    bool is_adopted = false;  ///< an earlier daemon started it: nobody here saw it load
    TimePoint started;
    TimePoint ready_at;
    TimePoint last_used;                      ///< last grant or release; ready_at before the first
    Reason leaving;                           ///< while draining or stopping
    std::optional<TimePoint> drain_deadline;  ///< stopped then whatever runs
    std::optional<TimePoint> serves_before;   ///< draining: waiters of a rank before are served

    bool has_free_slot() const noexcept { return busy < slots; }
    /// Takes requests of that rank, when it has a slot.
    bool serves(TimePoint rank) const noexcept {
        return phase == Phase::ready ||
               (phase == Phase::draining && serves_before && rank < *serves_before);
    }
    bool is_idle() const noexcept { return busy == 0 && passengers == 0; }
    bool is_leaving() const noexcept {
        return phase == Phase::draining || phase == Phase::stopping;
    }
};

/// Who asks: it decides what may be done for them.
enum class Cause {
    request,
    command,  ///< a person: evicts idle models at once and closes doors without max_wait
    preload,  ///< evicts nothing
};

/// One request that waits.
struct Waiter {
    std::string model;
    std::string key;
    TimePoint since;
    TimePoint rank;  ///< order among models that want a place: `since` shifted by its priority
    TimePoint deadline;
    std::uint64_t conversation = 0;
    bool needs_slot = true;
    Cause cause = Cause::request;
};

/// Those who wait for one model.
struct Queue {
    using Order = std::set<std::pair<TimePoint, TicketId>>;
    Line for_slot;
    std::set<TicketId> for_server;  ///< need no slot
    Order by_age;                   ///< all of them, who waits longest first
    Order by_rank;                  ///< all of them
    unsigned commands = 0;          ///< of them, asked for by people

    bool empty() const noexcept { return by_age.empty(); }
    std::size_t size() const noexcept { return by_age.size(); }
};

struct Granted {
    InstanceId instance = 0;
    std::string model;
    std::string key;
    bool has_slot = true;
    TimePoint since;
    Milliseconds charged{0};  ///< of its key's share, in advance
};

/// How a model is used.
struct Usage {
    Shares shares;                          ///< of the keys, while it has requests
    std::optional<Milliseconds> mean_hold;  ///< how long a grant is kept, lately
    Popularity popularity;
};

/// How a model failed lately.
struct Failure {
    unsigned count = 0;        ///< in a row
    TimePoint at;              ///< the last of them
    TimePoint until;           ///< not started before
    bool was_loading = false;  ///< the last time: it never came to serve
    std::string error;
    std::string fingerprint;
};

/// All that the scheduler knows, as a plain value.
struct World {
    Rules rules;
    std::map<std::string, ModelRules> models;
    std::map<InstanceId, Resident> residents;             ///< changed by add() and remove() alone
    std::map<std::string, std::set<InstanceId>> servers;  ///< of each model that has any
    std::map<TicketId, Waiter> waiters;
    std::map<std::string, Queue> queues;  ///< only those that are not empty
    std::set<std::pair<TimePoint, TicketId>> deadlines;
    std::map<TicketId, Granted> granted;
    std::map<std::string, Failure> failures;
    std::map<std::string, Usage> usage;                  ///< by model: of those ever asked for
    std::map<std::string, Conversations> conversations;  ///< by model: of those with instances
    std::map<std::string, Milliseconds> load_times;      ///< start to ready, lately
    std::map<std::string, Budget> budgets;               ///< by device
    std::set<std::string> promised;  ///< models for which a door was closed: they start next
    InstanceId next_instance = 1;
    bool stopping = false;

    // Most events change nothing for models that wait for a place: they are looked at again when
    // something did, or when the time has come.
    bool places_changed = true;
    bool is_over = false;  ///< more is held than there is, and whoever may go is busy
    TimePoint places_due = TimePoint::max();

    /// Of the model's servers the oldest that is not on its way out, else the oldest that is;
    /// nullptr: none.
    const Resident* resident_of(const std::string& model) const;
    Resident* resident_of(const std::string& model);

    /// Whether its requests could lead to the start of a server: it has none, or may have more.
    bool may_want_server(const std::string& model) const;

    Resident& add(Resident resident);
    void remove(InstanceId instance);

    /// Writes down that a request runs on `resident` from now on. With a slot it is charged to its
    /// key's share in advance.
    void grant(TicketId ticket, Resident& resident, const std::string& key, bool has_slot,
               TimePoint now);

    /// It gave it back. `of`: usage of its model.
    void settle(const Granted& grant, Usage& of, Milliseconds held);

    /// Forgets who had how much of a model that nobody wants now.
    void forget_shares(const std::string& model);

    /// All of its servers, the oldest first.
    std::vector<Resident*> residents_of(const std::string& model);
    std::vector<const Resident*> residents_of(const std::string& model) const;
};

/// Where `model` may run; one empty placement when nothing is known of what it needs.
const std::vector<Footprint>& placements_of(const World& world, const std::string& model);

const Places& places_of(const World& world, const std::string& model);

bool is_pinned(const World& world, const Resident& resident);

}  // namespace routerd::scheduler
