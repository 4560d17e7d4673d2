#include "daemon/scheduler/round.hpp"

#include <algorithm>

namespace routerd::scheduler {

TimePoint Round::settle(const std::string* model) {
    expire_waiters();
    if (model != nullptr) {
        grant_to(*model);
    } else {
        grant_all();
    }
    stop_drained();
    keep_promises();
    unload_idle();
    trim_to_limit();
    if (world_.places_changed || world_.places_due <= now_) {
        world_.places_changed = false;
        world_.places_due = TimePoint::max();
        start_candidates();
    }
    wake_at(world_.places_due);
    return wake_;
}

void Round::drain(Resident& resident, const Reason& reason, std::optional<TimePoint> deadline) {
    if (resident.phase == Phase::stopping) {
        return;
    }
    if (resident.phase == Phase::starting || resident.is_idle()) {
        return stop(resident, reason);
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
    auto& order = waiter->second.needs_slot ? queue->second.for_slot : queue->second.for_server;
    order.erase({waiter->second.rank, ticket});
    queue->second.by_age.erase({waiter->second.since, ticket});
    queue->second.commands -= waiter->second.cause == Cause::command ? 1U : 0U;
    if (queue->second.empty()) {
        world_.queues.erase(queue);
        world_.places_changed = true;  // it may have waited for a place
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
    const Queue waiting = queue->second;  // refuse() changes it
    for (const auto* order : {&waiting.for_slot, &waiting.for_server}) {
        for (const auto& [rank, ticket] : *order) {
            refuse(ticket, reason);
        }
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
    auto* resident = world_.resident_of(model);
    if (resident == nullptr || resident->phase != Phase::ready) {
        return;
    }
    if (auto queue = world_.queues.find(model); queue != world_.queues.end()) {
        grant(*resident, queue->second.for_server, false);
    }
    if (auto queue = world_.queues.find(model); queue != world_.queues.end()) {
        grant(*resident, queue->second.for_slot, true);
    }
}

void Round::grant(Resident& resident, Queue::Order& order, bool with_slot) {
    while (!order.empty() && (!with_slot || resident.busy < resident.slots)) {
        const auto ticket = order.begin()->second;
        const auto since = world_.waiters.at(ticket).since;
        Grant grant{ticket, resident.id};
        grant.queued = between(since, now_);
        grant.loaded = between(std::max(since, resident.started), resident.ready_at);
        actions_.emplace_back(grant);
        ++(with_slot ? resident.busy : resident.passengers);
        resident.last_used = now_;
        world_.granted[ticket] = {resident.id, with_slot, now_};
        const bool was_last = world_.queues.at(resident.model).size() == 1;
        forget(ticket);
        if (was_last) {
            return;  // `order` is gone with its queue
        }
    }
}

void Round::stop_drained() {
    for (auto& [id, resident] : world_.residents) {
        if (resident.phase != Phase::draining) {
            continue;
        }
        if (resident.is_idle()) {
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
