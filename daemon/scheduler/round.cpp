#include "daemon/scheduler/round.hpp"

#include <algorithm>

#include "daemon/scheduler/backoff.hpp"
#include "daemon/scheduler/grants.hpp"

namespace routerd::scheduler {
namespace {

Wanted wanted_by(const Waiter& waiter) {
    return {waiter.model, waiter.key,  waiter.conversation,
            waiter.since, waiter.rank, waiter.needs_slot};
}

}  // namespace

TimePoint Round::settle(const std::string* model) {
    expire_waiters();
    forget_what_is_over(world_, now_);
    if (model != nullptr) {
        grant_to(*model);
    } else {
        grant_all();
    }
    stop_drained();
    keep_promises();
    unload_idle();
    if (world_.places_changed || world_.places_due <= now_) {
        world_.places_changed = false;
        world_.is_over = false;
        world_.places_due = TimePoint::max();
        const auto waiting = candidates();
        const auto& rules = world_.rules;
        const bool may_be_over =
            rules.max_loaded > 0 || !rules.groups.empty() || rules.yield_to_others;
        if (!waiting.empty() || may_be_over) {
            Room room(world_);
            trim(room);
            start_candidates(waiting, room);
        }
    }
    wake_at(world_.places_due);
    return wake_;
}

void Round::drain(Resident& resident, const Reason& reason, std::optional<TimePoint> deadline) {
    if (resident.phase == Phase::stopping) {
        return;
    }
    if (resident.is_idle()) {
        return stop(resident, reason);
    }
    if (resident.phase == Phase::draining) {
        const bool is_sooner =
            deadline && (!resident.drain_deadline || *deadline < *resident.drain_deadline);
        const bool is_final = resident.drain_deadline || resident.leaving.why == reason.why;
        if (is_final && !is_sooner) {
            return;  // as it was told before
        }
    }
    world_.places_changed = true;
    resident.phase = Phase::draining;
    resident.leaving = reason;
    resident.drain_deadline = deadline;
    actions_.emplace_back(Drain{resident.id, resident.model, reason});
}

void Round::stop(Resident& resident, const Reason& reason) {
    if (resident.phase == Phase::stopping) {
        return;
    }
    world_.places_changed = true;
    resident.phase = Phase::stopping;
    resident.leaving = reason;
    actions_.emplace_back(Stop{resident.id, resident.model, reason});
}

void Round::forget(TicketId ticket) {
    const auto waiter = world_.waiters.find(ticket);
    if (waiter == world_.waiters.end()) {
        return;
    }
    const auto queue = world_.queues.find(waiter->second.model);
    queue->second.for_slot.remove(ticket);
    queue->second.for_server.erase(ticket);
    queue->second.by_age.erase({waiter->second.since, ticket});
    queue->second.by_rank.erase({waiter->second.rank, ticket});
    queue->second.commands -= waiter->second.cause == Cause::command ? 1U : 0U;
    if (queue->second.empty()) {
        world_.queues.erase(queue);
        world_.forget_shares(waiter->second.model);
        world_.places_changed =
            world_.places_changed || world_.may_want_server(waiter->second.model);
    }
    world_.deadlines.erase({waiter->second.deadline, ticket});
    world_.waiters.erase(waiter);
}

void Round::refuse(TicketId ticket, const Reason& reason) {
    const auto waiter = world_.waiters.find(ticket);
    if (waiter != world_.waiters.end()) {
        actions_.emplace_back(Refuse{ticket, waiter->second.model, reason});
        forget(ticket);
    }
}

void Round::refuse_all(const std::string& model, const Reason& reason) {
    const auto queue = world_.queues.find(model);
    if (queue == world_.queues.end()) {
        return;
    }
    const auto waiting = queue->second.by_age;  // refuse() changes it
    for (const auto& [since, ticket] : waiting) {
        refuse(ticket, reason);
    }
}

void Round::expire_waiters() {
    while (!world_.deadlines.empty() && world_.deadlines.begin()->first <= now_) {
        const auto ticket = world_.deadlines.begin()->second;
        Reason reason{.why = Why::deadline_passed};
        reason.time = between(world_.waiters.at(ticket).since, now_);
        refuse(ticket, reason);
    }
    if (!world_.deadlines.empty()) {
        wake_at(world_.deadlines.begin()->first);
    }
}

void Round::grant_all() {
    std::vector<std::string> waiting;
    for (const auto& [model, queue] : world_.queues) {
        waiting.push_back(model);  // granting may end a queue
    }
    for (const auto& model : waiting) {
        grant_to(model);
    }
}

void Round::grant_to(const std::string& model) {
    for (auto queue = world_.queues.find(model); queue != world_.queues.end();
         queue = world_.queues.find(model)) {  // a grant may end it
        const bool has_small = !queue->second.for_server.empty();
        auto ticket = has_small ? *queue->second.for_server.begin()
                                : queue->second.for_slot.next(now_, world_.rules.aging);
        auto* server = server_for(world_, wanted_by(world_.waiters.at(ticket)));
        if (server == nullptr) {  // a server whose door is closed serves the first in rank yet
            ticket = queue->second.by_rank.begin()->second;
            server = server_for(world_, wanted_by(world_.waiters.at(ticket)));
        }
        if (server == nullptr) {
            return;
        }
        grant(ticket, *server);
    }
}

void Round::grant(TicketId ticket, Resident& resident) {
    const auto waiter = world_.waiters.at(ticket);
    forget(ticket);
    actions_.emplace_back(grant_on(world_, ticket, wanted_by(waiter), resident, now_));
}

/// Somebody who came before its door was closed has not been served.
bool Round::is_waited_for(const Resident& resident) const {
    const auto queue = world_.queues.find(resident.model);
    return resident.serves_before && queue != world_.queues.end() &&
           queue->second.by_rank.begin()->first < *resident.serves_before;
}

void Round::stop_drained() {
    for (auto& [id, resident] : world_.residents) {
        if (resident.phase != Phase::draining) {
            continue;
        }
        if (resident.is_idle() && !is_waited_for(resident)) {
            stop(resident, Reason(resident.leaving));
        } else if (resident.drain_deadline && *resident.drain_deadline <= now_) {
            stop(resident, {.why = Why::drain_timed_out, .time = world_.rules.drain_timeout});
        } else if (resident.drain_deadline) {
            wake_at(*resident.drain_deadline);
        }
    }
}

void Round::keep_promises() {
    std::erase_if(world_.promised, [this](const std::string& model) {
        return !world_.queues.contains(model) || world_.resident_of(model) != nullptr;
    });
    for (auto& [id, resident] : world_.residents) {
        const bool is_for_somebody =
            resident.phase == Phase::draining && resident.leaving.why == Why::door_closed;
        if (is_for_somebody && !world_.promised.contains(resident.leaving.other)) {
            resident.phase = Phase::ready;
            resident.leaving = {};
            resident.serves_before.reset();
            world_.places_changed = true;
            actions_.emplace_back(Reopen{resident.id, resident.model});
            grant_to(resident.model);  // who waited behind the door
        }
    }
}

void Round::unload_idle() {
    for (auto& [id, resident] : world_.residents) {
        const auto model = world_.models.find(resident.model);
        const bool may_go = resident.phase == Phase::ready && resident.is_idle() &&
                            model != world_.models.end() && !model->second.pinned &&
                            model->second.idle_unload.count() > 0;
        if (!may_go) {
            continue;
        }
        const auto until = resident.last_used + model->second.idle_unload;
        if (until <= now_) {
            drain(resident, {.why = Why::idle_too_long, .time = between(resident.last_used, now_)},
                  std::nullopt);
        } else {
            wake_at(until);
        }
    }
}

}  // namespace routerd::scheduler
