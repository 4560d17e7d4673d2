#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "daemon/scheduler/eviction.hpp"
#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {

/// What its first placement lacks, when none of its placements fits into `ledger`.
std::optional<Ledger::Lack> lack_of_room(const World& world, const std::string& model,
                                         const Ledger& ledger);

Reason reason_of(const World& world, Why why, const Ledger::Lack& lack);

/// One event's worth of decisions: changes the world and says what to do. Lives for one call.
class Round {
  public:
    Round(World& world, TimePoint now, Actions& actions)
        : world_(world), now_(now), actions_(actions) {}

    /// Brings everything that can happen now about: grants, starts, drains, stops, refusals. Call
    /// it last. `model`: the only one whose queue or server the event changed; nullptr: any. The
    /// time at which something happens by itself next.
    TimePoint settle(const std::string* model);

    /// One that nobody uses is stopped at once; `deadline`: whatever runs on it then. What was said
    /// before and is sooner stays.
    void drain(Resident& resident, const Reason& reason, std::optional<TimePoint> deadline);
    void stop(Resident& resident, const Reason& reason);
    void refuse(TicketId ticket, const Reason& reason);
    void refuse_all(const std::string& model, const Reason& reason);

    /// Takes it out of its queue without a word.
    void forget(TicketId ticket);

  private:
    /// A model that has waiters and wants a server.
    struct Candidate {
        std::string model;
        bool is_extra = false;  ///< it has servers, and requests wait for a slot of another
        bool promised = false;
        bool commanded = false;  ///< a person waits for it
        TimePoint rank;
        TimePoint since;  ///< the longest wait for it
        bool operator<(const Candidate& other) const;
    };

    /// What is free, as this round has changed it so far.
    struct Room {
        explicit Room(const World& world);

        /// Sets it aside, so that nobody who comes later takes it.
        void hold(const Footprint& footprint, const Places& places);

        Ledger now;
        Ledger later;          ///< when all that leave have left
        Ledger empty;          ///< without any server, and without other processes
        Ledger beside_pinned;  ///< the same, with the pinned
        Ledger crowded;        ///< with the pinned and other processes

        /// Who might go, at the first call.
        const Options& options(const World& world, TimePoint time);

      private:
        std::optional<Options> options_;
    };

    void expire_waiters();
    void stop_drained();
    bool is_waited_for(const Resident& resident) const;
    void grant_all();
    void grant_to(const std::string& model);
    void grant(TicketId ticket, Resident& resident);
    void unload_idle();
    void trim(Room& room);
    void keep_promises();
    void start_candidates(const std::vector<Candidate>& waiting, Room& room);
    void find_place(const Candidate& candidate, Room& room);
    void start_another(const Candidate& candidate, Room& room);
    bool wants_another(const Queue& queue, const std::string& model) const;
    void make_room(const Candidate& candidate, Room& room);
    void evict(const Eviction& eviction, const Candidate& candidate, Room& room);
    void claim(const Candidate& candidate, Room& room);
    void await_residency();
    bool refuse_hopeless(const Candidate& candidate, const Room& room);
    bool is_failing(const std::string& model);
    std::vector<Candidate> candidates() const;
    void start(const Candidate& candidate, Footprint reserved);
    bool is_young(const Resident& resident) const;
    void wake_at(TimePoint time) { wake_ = std::min(wake_, time); }
    void look_again_at(TimePoint time) { world_.places_due = std::min(world_.places_due, time); }

    World& world_;
    TimePoint now_;
    Actions& actions_;
    TimePoint wake_ = TimePoint::max();
};

}  // namespace routerd::scheduler
