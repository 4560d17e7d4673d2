#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/scheduler/action.hpp"
#include "daemon/scheduler/backoff.hpp"
#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {

/// What a request asks for.
struct Ask {
    TicketId ticket = 0;  ///< never used before
    std::string model;
    std::string key;                 ///< who asks: keys share a model's slots equally
    std::uint64_t conversation = 0;  ///< requests of one have the same; 0: of none
    Priority priority = Priority::normal;
    TimePoint deadline = TimePoint::max();
    bool needs_slot = true;
    Cause cause = Cause::request;
};

/// Decides which server starts and stops and whose request runs. Pure: no I/O, no clock; events go
/// in with their time, actions come out, and whoever carries them out reports back as the next
/// event. Not thread-safe.
///
/// Requests for a ready model take its free slots in order (see Line); of several servers the one
/// that served the conversation before, or the least busy. A model without a server is started
/// where it fits, in bytes and in places (max_loaded); otherwise those idle models go, pinned ones
/// aside, that free enough at the least expected cost. When they do not suffice and the request has
/// waited for max_wait, busy ones are drained too. A model just loaded stays for min_residency. A
/// model that would not fit on an empty machine is refused at once and costs nobody its place; one
/// that other processes leave no room for is refused after max_wait. One whose last load failed is
/// tried again only where there is room: it costs nobody a place twice. One whose server is another
/// machine's starts at once and leaves for nobody.
class Scheduler {
  public:
    explicit Scheduler(Rules rules) { world_.rules = std::move(rules); }

    Actions set_rules(const Rules& rules, TimePoint now);

    /// The models that may run; waiters for others are refused, servers of others leave.
    Actions set_models(std::map<std::string, ModelRules> models, TimePoint now);

    /// Where a model may run, when more was learned of what it needs.
    Actions set_placements(const std::string& model, std::vector<Footprint> placements,
                           TimePoint now);

    /// What models may use of each device, and what others use of it now.
    Actions set_budgets(std::map<std::string, Budget> budgets, TimePoint now);

    Actions on_request(const Ask& ask, TimePoint now);

    /// The part of on_request() that most requests need: nobody waits for the model, and a server
    /// has a slot. nullopt: that is not so, and nothing was done.
    std::optional<Grant> grant_at_once(const Ask& ask, TimePoint now);

    Actions on_leave(TicketId ticket, TimePoint now);    ///< gave up before it was settled
    Actions on_release(TicketId ticket, TimePoint now);  ///< gave its grant back

    Actions on_ready(InstanceId instance, TimePoint now);
    Actions on_exited(InstanceId instance, const Exit& exit, TimePoint now);

    /// What a server really holds takes the place of what was reserved for it.
    Actions on_measured(InstanceId instance, Footprint held, TimePoint now);

    /// A grant of the daemon before, whose request still runs.
    struct Inherited {
        TicketId ticket = 0;  ///< never used before
        std::string key;
        bool has_slot = true;
    };

    /// A server that an earlier daemon started and that serves. Its id may be any that is not used.
    Actions on_adopted(const Resident& resident, const std::vector<Inherited>& grants,
                       TimePoint now);

    enum class Command { unload, restart };
    Actions on_command(const std::string& model, Command command, TimePoint now);

    /// Forgets the model's failures; the last error, or empty.
    std::string forget_failures(const std::string& model);

    Actions on_time(TimePoint now);

    /// Refuses what waits and what comes; servers go on.
    Actions on_close(TimePoint now);

    /// The same, and drains all.
    Actions on_shutdown(TimePoint now);

    /// Stops all without waiting for requests.
    Actions on_hurry(TimePoint now);

    const World& world() const noexcept { return world_; }

    /// From 1 among those waiting for the same kind of place of the same model; 0 when not waiting.
    std::size_t position(TicketId ticket) const;

    /// What a command to load `model` would evict now, in order, with reasons; a refusal instead
    /// when it would be refused.
    struct Plan {
        std::vector<Drain> evictions;
        std::optional<Reason> refusal;
    };
    Plan plan(const std::string& model, TimePoint now) const;

    /// New instances get ids from here on.
    void number_from(InstanceId next) noexcept { world_.next_instance = next; }

  private:
    /// `actions` and all that follows from them. `model`: as in Round::settle().
    Actions settled(Actions actions, TimePoint now, const std::string* model);
    bool concerns_nobody(const Resident& resident) const;
    Actions wake_to_unload(const Resident& resident);

    World world_;
    TimePoint wake_ = TimePoint::max();
};

}  // namespace routerd::scheduler
