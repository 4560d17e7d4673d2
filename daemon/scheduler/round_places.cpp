// The part of Round that deals in places: who gets one, and who has to leave for it.
#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/scheduler/round.hpp"

namespace routerd::scheduler {

bool Round::Candidate::operator<(const Candidate& other) const {
    return std::tuple(!promised, rank, model) <
           std::tuple(!other.promised, other.rank, other.model);
}

const std::vector<Footprint>& placements_of(const World& world, const std::string& model) {
    static const std::vector<Footprint> anywhere(1);
    const auto rules = world.models.find(model);
    return rules == world.models.end() || rules->second.placements.empty()
               ? anywhere
               : rules->second.placements;
}

std::optional<Ledger::Lack> lack_of_room(const World& world, const std::string& model,
                                         const Ledger& ledger) {
    const auto& placements = placements_of(world, model);
    return first_that_fits(placements, ledger) ? std::nullopt : ledger.lack(placements.front());
}

Reason reason_of(const World& world, Why why, const Ledger::Lack& lack) {
    Reason reason{.why = why, .limit = world.rules.max_loaded};
    reason.device = lack.device;
    reason.bytes = lack.wanted;
    reason.free = lack.free;
    if (const auto budget = world.budgets.find(lack.device); budget != world.budgets.end()) {
        reason.foreign = budget->second.foreign;
    }
    for (const auto& [id, resident] : world.residents) {
        reason.models.push_back(resident.model);
    }
    return reason;
}

bool is_pinned(const World& world, const Resident& resident) {
    const auto model = world.models.find(resident.model);
    return model != world.models.end() && model->second.pinned;
}

Round::Room::Room(const World& world)
    : now(Ledger::now(world)),
      later(now),
      empty(Ledger::empty(world)),
      beside_pinned(empty),
      crowded(Ledger::beside_others(world)) {
    for (const auto& [id, resident] : world.residents) {
        if (resident.is_leaving()) {
            later.give(resident.reserved);
        } else if (is_pinned(world, resident)) {
            beside_pinned.take(resident.reserved);
            crowded.take(resident.reserved);
        }
    }
}

void Round::Room::hold(const Footprint& footprint) {
    now.take(footprint);
    later.take(footprint);
}

void Round::trim_to_limit() {
    const auto limit = world_.rules.max_loaded;
    const auto staying = std::ranges::count_if(
        world_.residents, [](const auto& entry) { return !entry.second.is_leaving(); });
    for (auto surplus = staying - static_cast<std::ptrdiff_t>(limit); limit > 0 && surplus > 0;
         --surplus) {
        Resident* victim = nullptr;
        for (auto& [id, resident] : world_.residents) {
            const bool may_go = resident.phase == Phase::ready && resident.is_idle() &&
                                !is_pinned(world_, resident);
            if (may_go && (victim == nullptr ||
                           cost_of(resident, world_, now_) < cost_of(*victim, world_, now_))) {
                victim = &resident;
            }
        }
        if (victim == nullptr) {
            return;
        }
        drain(*victim, {.why = Why::over_the_limit, .limit = limit}, std::nullopt);
    }
}

std::vector<Round::Candidate> Round::candidates() const {
    std::vector<Candidate> all;
    for (const auto& [model, queue] : world_.queues) {
        if (world_.resident_of(model) != nullptr) {
            continue;
        }
        Candidate candidate;
        candidate.model = model;
        candidate.promised = world_.promised.contains(model);
        candidate.rank = queue.first_rank();
        candidate.since = queue.by_age.begin()->first;
        candidate.commanded = queue.commands > 0;
        all.push_back(std::move(candidate));
    }
    std::ranges::sort(all, std::less<>());
    return all;
}

void Round::start_candidates() {
    const auto waiting = candidates();
    if (waiting.empty()) {
        return;
    }
    Room room(world_);
    for (const auto& candidate : waiting) {
        if (is_failing(candidate.model) || refuse_hopeless(candidate, room)) {
            continue;
        }
        const auto& placements = placements_of(world_, candidate.model);
        if (const auto fits = first_that_fits(placements, room.now)) {
            room.hold(*fits);
            start(candidate, *fits);
        } else if (const auto will_fit = first_that_fits(placements, room.later)) {
            room.hold(*will_fit);  // what leaves is for it: nobody behind it takes that
        } else {
            make_room(candidate, room);
        }
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
    const auto failure = world_.failures.find(model);
    if (failure == world_.failures.end() || failure->second.until <= now_) {
        return false;
    }
    Reason reason{.why = Why::backing_off};
    reason.time = between(now_, failure->second.until);
    reason.count = failure->second.count;
    reason.detail = failure->second.error;
    refuse_all(model, reason);
    return true;
}

void Round::start(const Candidate& candidate, Footprint reserved) {
    const auto rules = world_.models.find(candidate.model);
    Resident resident;
    resident.id = world_.next_instance++;
    resident.model = candidate.model;
    resident.started = now_;
    resident.reserved = std::move(reserved);
    if (rules != world_.models.end()) {
        resident.slots = rules->second.slots;
        resident.fingerprint = rules->second.fingerprint;
    }
    world_.promised.erase(candidate.model);
    const auto why = candidate.commanded ? Why::commanded : Why::requested;
    actions_.emplace_back(Start{resident.id, resident.model, resident.reserved, {.why = why}});
    world_.residents.emplace(resident.id, std::move(resident));
}

void Round::make_room(const Candidate& candidate, Room& room) {
    const auto& placements = placements_of(world_, candidate.model);
    const auto may_leave = [this, &candidate](const Resident& resident) {
        return resident.phase == Phase::ready && !is_pinned(world_, resident) &&
               (candidate.commanded || !is_young(resident));
    };
    const auto may_leave_at_once = [&may_leave](const Resident& resident) {
        return resident.is_idle() && may_leave(resident);
    };
    if (const auto eviction =
            cheapest_eviction(world_, room.later, placements, may_leave_at_once, now_)) {
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
    const auto eviction = candidate.commanded || has_waited
                              ? cheapest_eviction(world_, room.later, placements, may_leave, now_)
                              : std::nullopt;
    if (eviction) {
        evict(*eviction, candidate, room);
        return;
    }
    await_residency();
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
        room.later.give(victim.reserved);
    }
    room.hold(eviction.placement);
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
