// The part of Round that deals in places: who gets one, and who has to leave for it.
#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "daemon/scheduler/backoff.hpp"
#include "daemon/scheduler/round.hpp"

namespace routerd::scheduler {

bool Round::Candidate::operator<(const Candidate& other) const {
    return std::tuple(is_extra, !promised, rank, model) <
           std::tuple(other.is_extra, !other.promised, other.rank, other.model);
}

std::optional<Ledger::Lack> lack_of_room(const World& world, const std::string& model,
                                         const Ledger& ledger) {
    const auto& placements = placements_of(world, model);
    const auto& places = places_of(world, model);
    return first_that_fits(placements, places, ledger) ? std::nullopt
                                                       : ledger.lack(placements.front(), places);
}

Reason reason_of(const World& world, Why why, const Ledger::Lack& lack) {
    Reason reason{.why = why, .limit = world.rules.max_loaded};
    reason.device = lack.device;
    reason.group = lack.group;
    if (const auto group = world.rules.groups.find(lack.group); group != world.rules.groups.end()) {
        reason.limit = group->second;
    }
    reason.bytes = lack.wanted;
    reason.free = lack.free;
    if (const auto budget = world.budgets.find(lack.device); budget != world.budgets.end()) {
        reason.foreign = budget->second.foreign;
    }
    for (const auto& [id, resident] : world.residents) {
        if (resident.places.counts) {
            reason.models.push_back(resident.model);
        }
    }
    return reason;
}

Round::Room::Room(const World& world)
    : now(Ledger::now(world)),
      later(now),
      empty(Ledger::empty(world)),
      beside_pinned(empty),
      crowded(Ledger::beside_others(world)) {
    for (const auto& [id, resident] : world.residents) {
        if (resident.is_leaving()) {
            later.give(resident.reserved, resident.places);
        } else if (is_pinned(world, resident)) {
            beside_pinned.take(resident.reserved, resident.places);
            crowded.take(resident.reserved, resident.places);
        }
    }
}

void Round::Room::hold(const Footprint& footprint, const Places& places) {
    now.take(footprint, places);
    later.take(footprint, places);
}

const Options& Round::Room::options(const World& world, TimePoint time) {
    if (!options_) {
        options_ = options_of(world, time);
    }
    return *options_;
}

void Round::trim(Room& room) {
    const auto what =
        world_.rules.yield_to_others ? Ledger::Of::places_and_bytes : Ledger::Of::places;
    const auto may_go = [](const Resident& resident) {
        return resident.phase == Phase::ready && resident.is_idle();
    };
    for (auto lack = room.later.overdrawn(what); lack; lack = room.later.overdrawn(what)) {
        const auto* found = first_to_give(room.options(world_, now_), *lack, may_go);
        if (found == nullptr) {
            world_.is_over = true;  // looked at again when one is idle
            return;
        }
        auto& victim = world_.residents.at(found->id);
        auto reason = reason_of(world_, Why::over_the_limit, *lack);
        if (!lack->device.empty()) {
            reason.why = Why::yields;
        }
        reason.models.clear();
        room.later.give(victim.reserved, victim.places);
        drain(victim, reason, std::nullopt);
    }
}

/// Whether requests wait for a slot that one more server would give them.
bool Round::wants_another(const Queue& queue, const std::string& model) const {
    const auto rules = world_.models.find(model);
    if (rules == world_.models.end() || queue.for_slot.empty() || rules->second.instances < 2) {
        return false;
    }
    const auto servers = world_.residents_of(model);
    return servers.size() < rules->second.instances &&
           std::ranges::all_of(servers, [](const Resident* server) {
               return server->phase == Phase::ready && !server->has_free_slot();
           });
}

std::vector<Round::Candidate> Round::candidates() const {
    std::vector<Candidate> all;
    for (const auto& [model, queue] : world_.queues) {
        Candidate candidate;
        candidate.is_extra = world_.servers.contains(model);
        if (candidate.is_extra && !wants_another(queue, model)) {
            continue;
        }
        candidate.model = model;
        candidate.promised = world_.promised.contains(model);
        candidate.rank = queue.by_rank.begin()->first;
        candidate.since = queue.by_age.begin()->first;
        candidate.commanded = queue.commands > 0;
        all.push_back(std::move(candidate));
    }
    std::ranges::sort(all, std::less<>());
    return all;
}

void Round::start_candidates(const std::vector<Candidate>& waiting, Room& room) {
    for (const auto& candidate : waiting) {
        if (candidate.is_extra) {
            start_another(candidate, room);
        } else if (!is_failing(candidate.model) && !refuse_hopeless(candidate, room)) {
            find_place(candidate, room);
        }
    }
}

void Round::find_place(const Candidate& candidate, Room& room) {
    const auto& placements = placements_of(world_, candidate.model);
    const auto& places = places_of(world_, candidate.model);
    if (const auto fits = first_that_fits(placements, places, room.now)) {
        room.hold(*fits, places);
        start(candidate, *fits);
    } else if (const auto will_fit = first_that_fits(placements, places, room.later)) {
        room.hold(*will_fit, places);  // what leaves is for it: nobody behind it takes that
    } else {
        make_room(candidate, room);
    }
}

/// One more server for a model that has some: only where there is room to spare, and rather on a
/// device that none of the others is on.
void Round::start_another(const Candidate& candidate, Room& room) {
    if (const auto until = no_further_server_before(world_, candidate.model, now_)) {
        return look_again_at(*until);  // the others are enough for so long
    }
    const auto& places = places_of(world_, candidate.model);
    const auto servers = world_.residents_of(candidate.model);
    const auto is_shared = [&servers](const Footprint& placement) {
        return std::ranges::any_of(servers, [&placement](const Resident* server) {
            return std::ranges::any_of(placement, [server](const auto& need) {
                return need.first != "host" && server->reserved.contains(need.first);
            });
        });
    };
    auto placements = placements_of(world_, candidate.model);
    std::ranges::stable_partition(placements, std::not_fn(is_shared));
    if (const auto fits = first_that_fits(placements, places, room.now)) {
        room.hold(*fits, places);
        start(candidate, *fits);
    }
}

/// Budgets and pins may have changed since it was let in.
bool Round::refuse_hopeless(const Candidate& candidate, const Room& room) {
    const auto never = lack_of_room(world_, candidate.model, room.empty);
    if (never) {
        refuse_all(candidate.model, reason_of(world_, Why::would_not_fit, *never));
        return true;
    }
    const auto pinned = lack_of_room(world_, candidate.model, room.beside_pinned);
    if (pinned) {
        refuse_all(candidate.model, reason_of(world_, Why::all_pinned, *pinned));
    }
    return pinned.has_value();
}

bool Round::is_failing(const std::string& model) {
    const auto reason = refusal_of_failed(world_, model, now_);
    if (reason) {
        refuse_all(model, *reason);
    }
    return reason.has_value();
}

void Round::start(const Candidate& candidate, Footprint reserved) {
    const auto rules = world_.models.find(candidate.model);
    Resident resident;
    resident.id = world_.next_instance++;
    resident.model = candidate.model;
    resident.started = now_;
    resident.reserved = std::move(reserved);
    if (rules != world_.models.end()) {
        resident.places = rules->second.places;
        resident.slots = rules->second.slots;
        resident.fingerprint = rules->second.fingerprint;
    }
    world_.promised.erase(candidate.model);
    const auto why = candidate.is_extra    ? Why::more_wanted
                     : candidate.commanded ? Why::commanded
                                           : Why::requested;
    actions_.emplace_back(Start{resident.id, resident.model, resident.reserved, {.why = why}});
    world_.add(std::move(resident));
}

void Round::make_room(const Candidate& candidate, Room& room) {
    if (const auto failure = failure_to_load(world_, candidate.model);
        failure != nullptr && !candidate.commanded) {
        // It cost others their place and did not come to serve: not again.
        Reason reason{.why = Why::failed_before};
        reason.count = failure->count;
        reason.detail = failure->error;
        refuse_all(candidate.model, reason);
        return;
    }
    const auto& options = room.options(world_, now_);
    const auto may_leave = [this, &candidate](const Resident& resident) {
        return resident.phase == Phase::ready && (candidate.commanded || !is_young(resident));
    };
    const auto may_leave_at_once = [&may_leave](const Resident& resident) {
        return resident.is_idle() && may_leave(resident);
    };
    if (const auto eviction =
            cheapest_eviction(world_, room.later, candidate.model, options, may_leave_at_once)) {
        evict(*eviction, candidate, room);
        return;
    }
    const bool has_waited = between(candidate.since, now_) >= world_.rules.max_wait;
    if (!has_waited) {
        look_again_at(candidate.since + world_.rules.max_wait);
    } else if (const auto lack = lack_of_room(world_, candidate.model, room.crowded)) {
        // Other processes are in the way, and not only for a moment.
        refuse_all(candidate.model, reason_of(world_, Why::would_not_fit, *lack));
        return;
    }
    const auto eviction =
        candidate.commanded || has_waited
            ? cheapest_eviction(world_, room.later, candidate.model, options, may_leave)
            : std::nullopt;
    if (eviction) {
        evict(*eviction, candidate, room);
        return;
    }
    await_residency();
    if (has_waited) {
        claim(candidate, room);
    }
}

/// Nobody else starts where it will be able to first: many small models, each with its time to
/// load and to stay, must not keep a large one out.
void Round::claim(const Candidate& candidate, Room& room) {
    const auto free_at = [this](const Resident& resident) -> std::optional<TimePoint> {
        if (resident.is_leaving() || is_pinned(world_, resident)) {
            return std::nullopt;
        }
        if (resident.phase == Phase::ready) {
            return std::max(now_, resident.ready_at + world_.rules.min_residency);
        }
        const auto load = world_.load_times.find(resident.model);
        const auto time = load == world_.load_times.end() ? Milliseconds(0) : load->second;
        return std::max(now_, resident.started + time) + world_.rules.min_residency;
    };
    if (const auto placement = first_to_be_free(world_, room.later, candidate.model, free_at)) {
        room.hold(*placement, places_of(world_, candidate.model));
    }
}

void Round::evict(const Eviction& eviction, const Candidate& candidate, Room& room) {
    world_.promised.insert(candidate.model);
    for (const auto id : eviction.victims) {
        auto& victim = world_.residents.at(id);
        Reason reason{.why = Why::makes_room, .other = candidate.model};
        reason.time = between(victim.last_used, now_);
        if (!victim.is_idle()) {
            reason.why = Why::door_closed;
            reason.time = between(candidate.since, now_);
        }
        drain(victim, reason, std::nullopt);
        if (victim.phase == Phase::draining) {
            victim.serves_before = candidate.rank;
        }
        room.later.give(victim.reserved, victim.places);
    }
    room.hold(eviction.placement, places_of(world_, candidate.model));
}

/// Looks again when a model that is too young to leave now is old enough.
void Round::await_residency() {
    for (const auto& [id, resident] : world_.residents) {
        if (resident.phase == Phase::ready && is_young(resident)) {
            look_again_at(resident.ready_at + world_.rules.min_residency);
        }
    }
}

bool Round::is_young(const Resident& resident) const {
    return now_ < resident.ready_at + world_.rules.min_residency;
}

}  // namespace routerd::scheduler
