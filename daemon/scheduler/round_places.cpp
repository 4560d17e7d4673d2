// The part of Round that deals in places: who gets one, and who has to leave for it.
#include <algorithm>
#include <limits>
#include <tuple>

#include "daemon/scheduler/round.hpp"

namespace routerd::scheduler {

bool Round::Candidate::operator<(const Candidate& other) const {
    return std::tuple(!promised, rank, model) <
           std::tuple(!other.promised, other.rank, other.model);
}

void Round::trim_to_limit() {
    const auto limit = world_.rules.max_loaded;
    const auto staying = std::ranges::count_if(
        world_.residents, [](const auto& entry) { return !entry.second.is_leaving(); });
    for (auto surplus = staying - static_cast<std::ptrdiff_t>(limit); limit > 0 && surplus > 0;
         --surplus) {
        auto* victim = idle_victim(true);
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
        candidate.rank = TimePoint::max();
        candidate.since = TimePoint::max();
        for (const auto* order : {&queue.for_slot, &queue.for_server}) {
            for (const auto& [rank, ticket] : *order) {
                const auto& waiter = world_.waiters.at(ticket);
                candidate.rank = std::min(candidate.rank, rank);
                candidate.since = std::min(candidate.since, waiter.since);
                candidate.commanded = candidate.commanded || waiter.cause == Cause::command;
            }
        }
        all.push_back(std::move(candidate));
    }
    std::ranges::sort(all, std::less<>());
    return all;
}

void Round::start_candidates() {
    const auto limit = world_.rules.max_loaded;
    const auto places = limit == 0 ? std::numeric_limits<std::size_t>::max() : std::size_t{limit};
    auto coming = static_cast<std::size_t>(std::ranges::count_if(
        world_.residents, [](const auto& entry) { return entry.second.is_leaving(); }));
    for (const auto& candidate : candidates()) {
        if (is_failing(candidate.model)) {
            continue;
        }
        if (world_.residents.size() < places) {
            start(candidate);
        } else if (coming > 0) {
            --coming;  // the place of one that leaves
        } else {
            make_room(candidate);
        }
    }
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

void Round::start(const Candidate& candidate) {
    const auto rules = world_.models.find(candidate.model);
    Resident resident;
    resident.id = world_.next_instance++;
    resident.model = candidate.model;
    resident.started = now_;
    if (rules != world_.models.end()) {
        resident.slots = rules->second.slots;
        resident.fingerprint = rules->second.fingerprint;
    }
    world_.promised.erase(candidate.model);
    const auto why = candidate.commanded ? Why::commanded : Why::requested;
    actions_.emplace_back(Start{resident.id, resident.model, {.why = why}});
    world_.residents.emplace(resident.id, std::move(resident));
}

void Round::make_room(const Candidate& candidate) {
    const auto waited = between(candidate.since, now_);
    if (auto* victim = idle_victim(candidate.commanded)) {
        Reason reason{.why = Why::least_recently_used, .other = candidate.model};
        reason.time = between(victim->last_used, now_);
        world_.promised.insert(candidate.model);
        drain(*victim, reason, std::nullopt);
        return;
    }
    if (all_are_pinned()) {
        refuse_all(candidate.model, {.why = Why::all_pinned, .limit = world_.rules.max_loaded});
        return;
    }
    if (!candidate.commanded && waited < world_.rules.max_wait) {
        wake_at(candidate.since + world_.rules.max_wait);
    } else if (auto* victim = busy_victim(candidate.commanded)) {
        world_.promised.insert(candidate.model);
        drain(*victim, {.why = Why::door_closed, .other = candidate.model, .time = waited},
              std::nullopt);
        return;
    }
    for (const auto& [id, resident] : world_.residents) {
        if (resident.phase == Phase::ready && is_young(resident)) {
            wake_at(resident.ready_at + world_.rules.min_residency);
        }
    }
}

Resident* Round::idle_victim(bool may_be_young) {
    Resident* victim = nullptr;
    for (auto& [id, resident] : world_.residents) {
        const bool may_go = resident.phase == Phase::ready && resident.is_idle() &&
                            !is_pinned(resident) && (may_be_young || !is_young(resident));
        if (may_go && (victim == nullptr || resident.last_used < victim->last_used)) {
            victim = &resident;
        }
    }
    return victim;
}

Resident* Round::busy_victim(bool may_be_young) {
    Resident* victim = nullptr;
    for (auto& [id, resident] : world_.residents) {
        const bool may_go = resident.phase == Phase::ready && !is_pinned(resident) &&
                            (may_be_young || !is_young(resident));
        if (may_go && (victim == nullptr || resident.ready_at < victim->ready_at)) {
            victim = &resident;
        }
    }
    return victim;
}

bool Round::is_pinned(const Resident& resident) const {
    const auto model = world_.models.find(resident.model);
    return model != world_.models.end() && model->second.pinned;
}

bool Round::is_young(const Resident& resident) const {
    return now_ < resident.ready_at + world_.rules.min_residency;
}

bool Round::all_are_pinned() const {
    return std::ranges::all_of(world_.residents,
                               [this](const auto& entry) { return is_pinned(entry.second); });
}

}  // namespace routerd::scheduler
