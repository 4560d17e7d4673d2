#include "daemon/scheduler/scheduler.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "daemon/scheduler/admission.hpp"
#include "daemon/scheduler/backoff.hpp"
#include "daemon/scheduler/grants.hpp"
#include "daemon/scheduler/round.hpp"

namespace routerd::scheduler {
namespace {

/// When a request counts as come: a band is worth `aging` of waiting.
TimePoint rank_of(const Ask& ask, const Rules& rules, TimePoint now) {
    switch (ask.priority) {
        case Priority::high:
            return now - rules.aging;
        case Priority::normal:
            return now;
        case Priority::low:
            return now + rules.aging;
    }
    return now;
}

}  // namespace

Actions Scheduler::settled(Actions actions, TimePoint now, const std::string* model) {
    world_.places_changed = world_.places_changed || model == nullptr;
    const auto wake = Round(world_, now, actions).settle(model);
    if (wake != wake_) {
        wake_ = wake;
        actions.emplace_back(Wake{wake});
    }
    return actions;
}

Actions Scheduler::set_rules(const Rules& rules, TimePoint now) {
    world_.rules = rules;
    return settled({}, now, nullptr);
}

Actions Scheduler::set_models(std::map<std::string, ModelRules> models, TimePoint now) {
    world_.models = std::move(models);
    Actions actions;
    Round round(world_, now, actions);
    const auto waiting = world_.queues;  // refusing changes it
    for (const auto& [model, queue] : waiting) {
        if (!world_.models.contains(model)) {
            round.refuse_all(model, {.why = Why::unknown_model});
        }
    }
    for (auto& [id, resident] : world_.residents) {
        const auto model = world_.models.find(resident.model);
        if (model == world_.models.end()) {
            round.drain(resident, {.why = Why::model_gone}, std::nullopt);
        } else if (!model->second.fingerprint.empty() &&
                   model->second.fingerprint != resident.fingerprint) {
            round.drain(resident, {.why = Why::settings_changed}, std::nullopt);
        } else {
            resident.places = model->second.places;
        }
    }
    std::erase_if(world_.failures, [this](const auto& entry) {
        const auto model = world_.models.find(entry.first);
        return model == world_.models.end() ||
               model->second.fingerprint != entry.second.fingerprint;
    });
    return settled(std::move(actions), now, nullptr);
}

std::optional<Grant> Scheduler::grant_at_once(const Ask& ask, TimePoint now) {
    const bool must_wait = world_.stopping || ask.deadline <= now ||
                           (!world_.queues.empty() && world_.queues.contains(ask.model));
    if (must_wait || !world_.models.contains(ask.model)) {
        return std::nullopt;
    }
    const Wanted wanted{
        ask.model, ask.key, ask.conversation, now, rank_of(ask, world_.rules, now), ask.needs_slot};
    auto* server = server_for(world_, wanted);
    if (server == nullptr) {
        return std::nullopt;
    }
    auto& usage = world_.usage[ask.model];
    usage.popularity.add(now);
    if (ask.needs_slot) {
        usage.shares.join(ask.key);
    }
    return grant_on(world_, ask.ticket, wanted, *server, now);
}

Actions Scheduler::on_request(const Ask& ask, TimePoint now) {
    if (const auto granted = grant_at_once(ask, now)) {
        return {*granted};
    }
    if (auto reason = refusal_at_the_door(world_, ask, now)) {
        return {Refuse{ask.ticket, ask.model, std::move(*reason)}};
    }
    Waiter waiter;
    waiter.model = ask.model;
    waiter.key = ask.key;
    waiter.conversation = ask.conversation;
    waiter.since = now;
    waiter.rank = rank_of(ask, world_.rules, now);
    waiter.deadline = ask.deadline;
    waiter.needs_slot = ask.needs_slot;
    waiter.cause = ask.cause;
    auto& usage = world_.usage[ask.model];
    usage.popularity.add(now);
    auto& queue = world_.queues[ask.model];
    if (queue.empty() || ask.cause == Cause::command) {
        world_.places_changed = world_.places_changed || world_.may_want_server(ask.model);
    }
    queue.by_age.emplace(now, ask.ticket);
    queue.by_rank.emplace(waiter.rank, ask.ticket);
    queue.commands += ask.cause == Cause::command ? 1U : 0U;
    if (ask.needs_slot) {
        usage.shares.join(ask.key);
        queue.for_slot.add({ask.ticket, ask.key, ask.priority, now, ask.deadline},
                           usage.shares.used(ask.key));
    } else {
        queue.for_server.insert(ask.ticket);
    }
    if (ask.deadline != TimePoint::max()) {
        world_.deadlines.emplace(ask.deadline, ask.ticket);
    }
    world_.waiters.emplace(ask.ticket, std::move(waiter));
    return settled({}, now, &ask.model);
}

Actions Scheduler::on_leave(TicketId ticket, TimePoint now) {
    const auto waiter = world_.waiters.find(ticket);
    if (waiter == world_.waiters.end()) {
        return {};
    }
    const auto model = waiter->second.model;
    Actions actions;
    Round(world_, now, actions).forget(ticket);
    return settled(std::move(actions), now, &model);
}

Actions Scheduler::on_release(TicketId ticket, TimePoint now) {
    const auto grant = world_.granted.extract(ticket);
    if (grant.empty()) {
        return {};
    }
    const auto& granted = grant.mapped();
    const auto held = between(granted.since, now);
    auto& usage = world_.usage[granted.model];
    if (granted.has_slot) {
        world_.settle(granted, usage, held);
    }
    const auto resident = world_.residents.find(granted.instance);
    if (resident == world_.residents.end()) {
        return settled({}, now, &granted.model);
    }
    --(granted.has_slot ? resident->second.busy : resident->second.passengers);
    resident->second.last_used = now;
    if (granted.has_slot) {
        usage.mean_hold = (usage.mean_hold.value_or(held) * 7 + held) / 8;
    }
    if (concerns_nobody(resident->second)) {
        return wake_to_unload(resident->second);
    }
    world_.places_changed = world_.places_changed || resident->second.is_idle();
    return settled({}, now, &granted.model);
}

/// Whether nothing follows from a slot of it that became free, but that it may be unloaded one day.
bool Scheduler::concerns_nobody(const Resident& resident) const {
    return !world_.is_over && world_.queues.empty() && world_.promised.empty() &&
           resident.phase == Phase::ready;
}

Actions Scheduler::wake_to_unload(const Resident& resident) {
    const auto rules = world_.models.find(resident.model);
    if (rules == world_.models.end() || rules->second.idle_unload.count() == 0) {
        return {};
    }
    const auto at = resident.last_used + rules->second.idle_unload;
    if (at >= wake_) {
        return {};  // it is looked at again before that
    }
    wake_ = at;
    return {Wake{at}};
}

Actions Scheduler::on_ready(InstanceId instance, TimePoint now) {
    const auto resident = world_.residents.find(instance);
    if (resident == world_.residents.end() || resident->second.phase != Phase::starting) {
        return {};
    }
    resident->second.phase = Phase::ready;
    resident->second.ready_at = now;
    if (const auto failure = world_.failures.find(resident->second.model);
        failure != world_.failures.end()) {
        failure->second.was_loading = false;  // it can be loaded after all
    }
    resident->second.last_used = now;
    if (!resident->second.is_adopted) {
        const auto took = between(resident->second.started, now);
        auto& mean = world_.load_times.try_emplace(resident->second.model, took).first->second;
        mean = (mean + took) / 2;
    }
    return settled({}, now, nullptr);
}

Actions Scheduler::set_placements(const std::string& model, std::vector<Footprint> placements,
                                  TimePoint now) {
    const auto rules = world_.models.find(model);
    if (rules != world_.models.end()) {
        rules->second.placements = std::move(placements);
    }
    return settled({}, now, nullptr);
}

Actions Scheduler::set_budgets(std::map<std::string, Budget> budgets, TimePoint now) {
    world_.budgets = std::move(budgets);
    return settled({}, now, nullptr);
}

Actions Scheduler::on_measured(InstanceId instance, Footprint held, TimePoint now) {
    const auto resident = world_.residents.find(instance);
    if (resident == world_.residents.end()) {
        return {};
    }
    resident->second.reserved = std::move(held);
    return settled({}, now, nullptr);
}

Actions Scheduler::on_adopted(const Resident& resident, const std::vector<Inherited>& grants,
                              TimePoint now) {
    world_.next_instance = std::max(world_.next_instance, resident.id + 1);
    auto& added = world_.add(resident);
    added.is_adopted = true;
    for (const auto& grant : grants) {
        if (grant.has_slot) {
            world_.usage[resident.model].shares.join(grant.key);
        }
        world_.grant(grant.ticket, added, grant.key, grant.has_slot, now);
    }
    return settled({}, now, nullptr);
}

Actions Scheduler::on_exited(InstanceId instance, const Exit& exit, TimePoint now) {
    const auto found = world_.residents.find(instance);
    if (found == world_.residents.end()) {
        return {};
    }
    const Resident gone = found->second;
    world_.remove(instance);
    Actions actions;
    if (gone.phase == Phase::stopping) {
        forget_failures_before(world_, gone);
    } else {
        auto& failure = world_.failures[gone.model];
        failure = after_failure(failure, gone, exit, now);
        // Who waits for a slot of one that serves waits on.
        if (gone.phase == Phase::starting && world_.resident_of(gone.model) == nullptr) {
            Reason reason{.why = Why::start_failed};
            reason.time = std::chrono::duration_cast<Milliseconds>(failure.until - now);
            reason.count = failure.count;
            reason.detail = exit.error;
            Round(world_, now, actions).refuse_all(gone.model, reason);
        }
    }
    return settled(std::move(actions), now, nullptr);
}

Actions Scheduler::on_command(const std::string& model, Command command, TimePoint now) {
    Actions actions;
    const auto why = command == Command::unload ? Why::unload_commanded : Why::restart_commanded;
    Round round(world_, now, actions);
    const auto* first = world_.resident_of(model);
    if (command == Command::unload && first != nullptr && first->phase == Phase::starting) {
        round.refuse_all(model, {.why = Why::stopped_loading});
    }
    for (auto* resident : world_.residents_of(model)) {
        round.drain(*resident, {.why = why}, now + world_.rules.drain_timeout);
    }
    return settled(std::move(actions), now, nullptr);
}

std::string Scheduler::forget_failures(const std::string& model) {
    const auto failure = world_.failures.find(model);
    if (failure == world_.failures.end()) {
        return {};
    }
    auto error = std::move(failure->second.error);
    world_.failures.erase(failure);
    return error;
}

Actions Scheduler::on_time(TimePoint now) {
    wake_ = TimePoint::max();  // that wake is used up
    const std::string none;
    return settled({}, now, &none);
}

Actions Scheduler::on_close(TimePoint now) {
    world_.stopping = true;
    Actions actions;
    Round round(world_, now, actions);
    const auto waiting = world_.queues;
    for (const auto& [model, queue] : waiting) {
        round.refuse_all(model, {.why = Why::shutting_down});
    }
    return settled(std::move(actions), now, nullptr);
}

Actions Scheduler::on_shutdown(TimePoint now) {
    auto actions = on_close(now);
    Round round(world_, now, actions);
    for (auto& [id, resident] : world_.residents) {
        round.drain(resident, {.why = Why::shutting_down}, now + world_.rules.drain_timeout);
    }
    return settled(std::move(actions), now, nullptr);
}

Actions Scheduler::on_hurry(TimePoint now) {
    auto actions = on_shutdown(now);
    Round round(world_, now, actions);
    for (auto& [id, resident] : world_.residents) {
        round.stop(resident, {.why = Why::shutting_down});
    }
    return settled(std::move(actions), now, nullptr);
}

std::size_t Scheduler::position(TicketId ticket) const {
    const auto waiter = world_.waiters.find(ticket);
    if (waiter == world_.waiters.end()) {
        return 0;
    }
    const auto& queue = world_.queues.at(waiter->second.model);
    if (waiter->second.needs_slot) {
        return queue.for_slot.position(ticket);
    }
    const auto place = queue.for_server.find(ticket);
    return static_cast<std::size_t>(std::distance(queue.for_server.begin(), place)) + 1;
}

Scheduler::Plan Scheduler::plan(const std::string& model, TimePoint now) const {
    Scheduler trial = *this;  // the world is a value
    Ask ask;
    ask.ticket = std::numeric_limits<TicketId>::max();
    ask.model = model;
    ask.priority = Priority::high;
    ask.needs_slot = false;
    ask.cause = Cause::command;
    Plan plan;
    for (auto& action : trial.on_request(ask, now)) {
        if (auto* drain = std::get_if<Drain>(&action)) {
            plan.evictions.push_back(*drain);
        } else if (auto* stop = std::get_if<Stop>(&action)) {
            plan.evictions.push_back({stop->instance, stop->model, stop->reason});
        } else if (auto* refuse = std::get_if<Refuse>(&action)) {
            plan.refusal = refuse->reason;
        }
    }
    return plan;
}

}  // namespace routerd::scheduler
