#include "daemon/supervisor/fleet_core.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <unistd.h>

namespace routerd {
namespace {

scheduler::Rules rules_of(const Config& config, const Snapshot& catalog) {
    scheduler::Rules rules;
    for (const auto& model : catalog.models) {
        for (const auto& group : model->settings.groups.value_or(std::vector<std::string>())) {
            rules.groups[group] = 1;
        }
    }
    rules.quarantine_after = config.limits.quarantine_after;
    rules.yield_to_others = config.memory.yield;
    rules.max_loaded = config.limits.max_loaded;
    rules.queue_size = config.queue.size;
    rules.max_wait = config.queue.max_wait;
    rules.min_residency = config.queue.min_residency;
    rules.aging = config.queue.aging;
    rules.drain_timeout = config.limits.drain_timeout;
    return rules;
}

RateLimiter::Rules limits_of(const Config& config) {
    const auto& limits = config.rate_limit;
    return {limits.requests_per_minute, limits.burst, limits.tokens_per_minute, limits.concurrent};
}

/// A name for one life of a daemon.
std::string new_mark() {
    std::random_device random;
    return std::to_string(::getpid()) + "-" + std::to_string(random()) + std::to_string(random());
}

}  // namespace

Fleet::Core::Core(Fleet& door, Services services, const Config& config)
    : door_(door),
      services_(std::move(services)),
      config_(std::make_shared<const Config>(config)),
      catalog_(std::make_shared<const Snapshot>()),
      scheduler_(rules_of(config, *catalog_)),
      memory_(config.memory),
      devices_(services_.nvml == nullptr ? DeviceReader(services_.roots)
                                         : DeviceReader(services_.roots, *services_.nvml)),
      memory_due_(services_.executor),
      random_(std::random_device()()),
      mark_(new_mark()),
      wake_(services_.executor),
      adopted_(services_.executor),
      lease_ended_(services_.executor),
      gone_(services_.executor, TimePoint::max()),
      watchers_(services_.executor, "watch of a model's server"),
      tasks_(services_.executor, "fleet") {
    limiter_.apply(limits_of(config));
}

void Fleet::Core::set_catalog(SnapshotPtr snapshot) {
    catalog_ = std::move(snapshot);
    carry_out(scheduler_.set_rules(rules_of(*config_, *catalog_), turn_now()));
    carry_out(scheduler_.set_models(model_rules(), turn_now()));
}

void Fleet::Core::apply(const Config& config) {
    config_ = std::make_shared<const Config>(config);
    memory_.apply(config.memory);
    limiter_.apply(limits_of(config));
    carry_out(scheduler_.set_budgets(memory_.budgets(), turn_now()));
    carry_out(scheduler_.set_rules(rules_of(config, *catalog_), turn_now()));
    carry_out(scheduler_.set_models(model_rules(), turn_now()));
}

Ticket Fleet::Core::request(const Demand& demand, scheduler::Cause cause) {
    scheduler::Ask ask;
    ask.ticket = next_ticket_++;
    ask.model = demand.model;
    ask.key = demand.key;
    ask.conversation = demand.conversation;
    ask.priority = demand.priority;
    ask.deadline = demand.deadline;
    ask.needs_slot = demand.needs_slot;
    ask.cause = cause;
    if (demand.is_limited && limiter_.follows()) {
        const auto begun = limiter_.begin(demand.key);
        if (!begun) {
            ++totals_.refused;
            return settled_ticket(ask.ticket, begun.error());
        }
        limited_.emplace(ask.ticket, demand.key);
    }
    const auto came = decisions_.stamp();
    if (const auto grant = grant_at_once(ask)) {
        if (!demand.request_id.empty()) {
            decisions_.passed(demand.request_id, demand.model, came, grant->instance);
        }
        return settled_ticket(ask.ticket, granted(*grant));
    }
    auto state = std::make_unique<Waiting>(door_, ask.ticket, services_.executor, demand, came);
    auto& made = *state;
    tickets_[ask.ticket] = &made;
    Ticket ticket(std::move(state));
    carry_out(scheduler_.on_request(ask, turn_now()));
    if (!made.outcome) {
        made.waits = true;
        decisions_.waits(made.id, made.asker, what_it_waits_for(scheduler_, made.id));
    }
    return ticket;
}

/// Of most requests: nobody waits, and a server has a slot.
std::optional<scheduler::Grant> Fleet::Core::grant_at_once(const scheduler::Ask& ask) {
    if (left_ || carrying_out_) {
        return std::nullopt;
    }
    const auto grant = scheduler_.grant_at_once(ask, turn_now());
    if (grant) {
        ++totals_.granted;
        ++counts_[ask.model].granted;
        changed();
    }
    return grant;
}

Ticket Fleet::Core::settled_ticket(scheduler::TicketId ticket, Result<Granted> outcome) {
    auto state = std::make_unique<Ticket::State>(door_, ticket, services_.executor);
    state->outcome.emplace(std::move(outcome));
    return Ticket(std::move(state));
}

void Fleet::Core::leave(scheduler::TicketId ticket) {
    tickets_.erase(ticket);
    end_limited(ticket, 0);
    decisions_.left(ticket);
    carry_out(scheduler_.on_leave(ticket, turn_now()));
}

void Fleet::Core::release(scheduler::TicketId ticket, std::uint64_t instance,
                          const LeaseReport& report) {
    note_report(instance, report);
    end_limited(ticket, report.tokens);
    carry_out(scheduler_.on_release(ticket, turn_now()));
    lease_ended_.notify();
}

void Fleet::Core::end_limited(scheduler::TicketId ticket, std::uint64_t tokens) {
    const auto limited = limited_.extract(ticket);
    if (!limited.empty()) {
        limiter_.end(limited.mapped());
        limiter_.spend(limited.mapped(), tokens, turn_now());
    }
}

std::string Fleet::Core::end_of(std::uint64_t instance) const {
    const auto end = std::ranges::find_if(
        ends_, [instance](const auto& entry) { return entry.first == instance; });
    return end == ends_.end() ? std::string() : end->second;
}

asio::awaitable<std::string> Fleet::Core::end_within(std::uint64_t instance,
                                                     std::chrono::milliseconds grace) {
    const auto deadline = steady_now() + grace;
    const auto watch = end_watches_.emplace(end_watches_.end(), services_.executor);
    bool in_time = true;
    while (in_time && end_of(instance).empty()) {
        in_time = co_await watch->wait_until(deadline);
    }
    end_watches_.erase(watch);
    co_return end_of(instance);
}

Granted Fleet::Core::granted(const scheduler::Grant& grant) const {
    const auto kept = instances_.find(grant.instance);
    auto server = kept == instances_.end() ? nullptr : kept->second.instance->server();
    if (!server) {  // it has just ended: to connect fails, and why it ended is said
        server = std::make_shared<ModelServer>(Endpoint());
    }
    return {grant.instance, std::move(server), grant.queued, grant.loaded};
}

Ticket::Progress Fleet::Core::progress(scheduler::TicketId ticket) const {
    Ticket::Progress progress;
    const auto waiter = scheduler_.world().waiters.find(ticket);
    if (waiter == scheduler_.world().waiters.end()) {
        return progress;
    }
    progress.position = scheduler_.position(ticket);
    const auto* instance = instance_of(waiter->second.model);
    if (instance != nullptr && !instance->is_ready() &&
        instance->state() != InstanceState::stopping) {
        progress.phase = Ticket::Phase::loading;
        progress.loaded_percent = instance->view().loaded_percent;
    }
    return progress;
}

std::size_t Fleet::Core::least_busy(const std::vector<std::string>& models) const {
    std::size_t best = 0;
    std::optional<unsigned> least;
    for (std::size_t i = 0; i < models.size(); ++i) {
        const auto shown = view(models[i]);
        if (shown.state == InstanceState::ready && (!least || shown.busy < *least)) {
            best = i;
            least = shown.busy;
        }
    }
    return best;
}

void Fleet::Core::carry_out(scheduler::Actions actions) {
    if (left_) {
        return;
    }
    pending_.insert(pending_.end(), std::make_move_iterator(actions.begin()),
                    std::make_move_iterator(actions.end()));
    if (std::exchange(carrying_out_, true)) {
        return;  // the loop below, further up the stack, goes on with them
    }
    bool any_change = false;
    while (!pending_.empty()) {
        const auto action = std::move(pending_.front());
        pending_.pop_front();
        any_change = any_change || !std::holds_alternative<scheduler::Wake>(action);
        perform(action);
    }
    carrying_out_ = false;
    if (any_change) {
        changed();
    }
}

void Fleet::Core::perform(const scheduler::Action& action) {
    if (const auto* grant = std::get_if<scheduler::Grant>(&action)) {
        settle(grant->ticket, *grant);
    } else if (const auto* refused = std::get_if<scheduler::Refuse>(&action)) {
        refuse(*refused);
    } else if (const auto* started = std::get_if<scheduler::Start>(&action)) {
        start(*started);
    } else if (const auto* drained = std::get_if<scheduler::Drain>(&action)) {
        report("instance.draining", drained->model, drained->instance, drained->reason);
    } else if (const auto* stopped = std::get_if<scheduler::Stop>(&action)) {
        stop(*stopped);
    } else if (const auto* reopened = std::get_if<scheduler::Reopen>(&action)) {
        api::Event event;
        event.type = "instance.reopened";
        event.model = reopened->model;
        event.message = "'" + reopened->model + "' serves again: nobody waits for its place";
        event.details = {{"instance", std::to_string(reopened->instance)}};
        tell(std::move(event));
    } else if (const auto* wake = std::get_if<scheduler::Wake>(&action)) {
        wake_at_ = wake->at;
        if (wake_at_ < sleeps_until_) {  // too early is harmless, and it mostly moves ahead
            wake_.notify();
        }
    }
}

void Fleet::Core::settle(scheduler::TicketId ticket, Result<scheduler::Grant> outcome) {
    outcome ? ++totals_.granted : ++totals_.refused;
    if (!outcome) {
        end_limited(ticket, 0);
    }
    const auto waiting = tickets_.find(ticket);
    if (waiting != tickets_.end()) {
        auto* state = waiting->second;
        tickets_.erase(waiting);
        if (outcome) {
            note_grant(*state, *outcome);
        }
        state->settle(outcome ? Result<Granted>(granted(*outcome)) : outcome.error());
    } else if (outcome) {
        carry_out(scheduler_.on_release(ticket, turn_now()));  // it left while this was under way
    }
}

void Fleet::Core::refuse(const scheduler::Refuse& action) {
    const auto at = steady_now();
    const auto told = told_refusal_.find(action.model);
    if (told == told_refusal_.end() || at - told->second >= std::chrono::seconds(1)) {
        // A flood of refusals is one event a second; names nobody knows are not remembered.
        if (action.reason.why != scheduler::Why::unknown_model) {
            told_refusal_[action.model] = at;
            report("request.refused", action.model, 0, action.reason);
        }
    }
    note_refusal(action);
    settle(action.ticket, scheduler::refusal(action.model, action.reason));
}

void Fleet::Core::start(const scheduler::Start& action) {
    report("instance.starting", action.model, action.instance, action.reason);
    const auto model = enabled_model(action.model);
    const bool is_here = model == nullptr || !is_elsewhere(*model);
    const auto log = is_here ? log_of(free_log_path(action.model)) : Result<LogFile*>(nullptr);
    if (!log || model == nullptr) {
        const auto why = log ? "the model is gone" : log.error().message();
        remember_end(action.instance, why);
        carry_out(scheduler_.on_exited(action.instance, {why, jitter()}, turn_now()));
        return;
    }
    auto plan = plan_for(model, action.instance, action.reserved);
    auto instance = std::make_unique<Instance>(std::move(plan), tools(), *log);
    instances_[action.instance] = {std::move(instance), false};
    health_.started(action.model, turn_now());
    tasks_.spawn(run_instance(action.instance));
}

void Fleet::Core::stop(const scheduler::Stop& action) {
    report("instance.stopping", action.model, action.instance, action.reason);
    const auto kept = instances_.find(action.instance);
    if (kept != instances_.end()) {
        kept->second.instance->stop();
    }
}

asio::awaitable<void> Fleet::Core::run_instance(std::uint64_t id) {
    auto& instance = *instances_.at(id).instance;
    co_await instance.run();
    auto ended = instances_.extract(id);
    if (abandoning_) {
        left_running_.push_back(std::move(ended.mapped().instance));
    }
    gone_.cancel();
    changed();
}

asio::awaitable<void> Fleet::Core::keep_time() {
    while (!closed_) {
        sleeps_until_ = wake_at_;
        const bool notified = co_await wake_.wait_until(sleeps_until_);
        if (!notified && steady_now() >= wake_at_) {
            wake_at_ = TimePoint::max();
            carry_out(scheduler_.on_time(turn_now()));
        }
    }
}

double Fleet::Core::jitter() {
    return std::uniform_real_distribution<double>(0, 1)(random_);
}

void Fleet::Core::changed() {
    for (const auto& callback : on_change_) {
        callback();
    }
}

}  // namespace routerd
