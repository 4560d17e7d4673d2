// The part of the fleet that hears from its instances, and tells others.
#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/units.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

constexpr std::size_t remembered_ends = 64;

}  // namespace

void Fleet::Core::on_ready(Instance& instance) {
    const auto& plan = instance.plan();
    const auto took = instance.load_time();
    api::Event event;
    event.type = took ? "instance.ready" : "instance.adopted";
    event.model = plan.model;
    event.message = "'" + plan.model + "' is ready on " + instance.endpoint().text() +
                    (took ? " after " + format_duration(*took) : ", as the daemon before left it");
    event.details = {{"instance", std::to_string(plan.id)}};
    if (took) {
        event.details.emplace_back("load_ms", std::to_string(took->count()));
    }
    tell(std::move(event));
    if (took && !instance.plan().remote) {
        learn_from(instance);  // before its first request
    }
    health_.ready(plan.model, turn_now());
    carry_out(scheduler_.on_ready(plan.id, std::chrono::steady_clock::now()));
    adopted_.notify();
    changed();
}

void Fleet::Core::on_progress(Instance& /*instance*/) {
    adopted_.notify();
    changed();
}

void Fleet::Core::on_closing(Instance& instance) {
    tell_closing(instance.plan().id);
    changed();
}

void Fleet::Core::tell_closing(std::uint64_t instance) {
    for (const auto& callback : on_closing_instance_) {
        callback(instance);
    }
}

void Fleet::Core::on_ended(Instance& instance) {
    const auto id = instance.plan().id;
    const auto model = instance.plan().model;
    const auto end = instance.end();
    instances_.at(id).ended = true;
    remember_end(id, end);

    const auto resident = scheduler_.world().residents.find(id);
    const auto phase = resident == scheduler_.world().residents.end() ? scheduler::Phase::stopping
                                                                      : resident->second.phase;
    health_.ended(model, phase != scheduler::Phase::stopping, turn_now());
    api::Event event;
    event.model = model;
    event.details = {{"instance", std::to_string(id)}, {"end", end}};
    if (phase == scheduler::Phase::stopping) {
        event.type = "instance.stopped";
        event.message = "'" + model + "' is stopped";
    } else if (phase == scheduler::Phase::starting) {
        event.type = "instance.load_failed";
        event.message = "'" + model + "' did not load: " + end;
    } else {
        event.type = "instance.crashed";
        event.message = "'" + model + "' crashed: " + end;
    }
    tell(std::move(event));

    carry_out(scheduler_.on_exited(id, {end, jitter()}, std::chrono::steady_clock::now()));
    for (auto& watch : end_watches_) {
        watch.notify();
    }
    if (phase != scheduler::Phase::stopping) {
        watchers_.spawn(revive(model));
    }
    adopted_.notify();
    tell_closing(id);
    changed();
}

/// A pinned model is wanted whether or not somebody asks for it now: its server is started again as
/// soon as its back-off allows.
asio::awaitable<void> Fleet::Core::revive(std::string model) {
    const auto& world = scheduler_.world();
    const auto failure = world.failures.find(model);
    if (failure == world.failures.end()) {
        co_return;
    }
    asio::steady_timer pause(services_.executor, failure->second.until);
    const auto [ec] = co_await pause.async_wait(no_throw);
    const auto rules = world.models.find(model);
    const bool is_wanted = rules != world.models.end() && rules->second.pinned;
    if (!ec && is_wanted && world.resident_of(model) == nullptr) {
        const auto begun = start_load(model, scheduler::Cause::preload);
        static_cast<void>(begun);  // a refusal is an event already
    }
}

void Fleet::Core::remember_end(std::uint64_t instance, const std::string& end) {
    ends_.emplace_back(instance, end);
    if (ends_.size() > remembered_ends) {
        ends_.pop_front();
    }
}

void Fleet::Core::report(const std::string& type, const std::string& model, std::uint64_t instance,
                         const scheduler::Reason& reason) {
    api::Event event;
    event.type = type;
    event.model = model;
    event.message = "'" + model + "': " + scheduler::describe(reason);
    event.details = scheduler::details(reason);
    if (instance != 0) {
        event.details.emplace_back("instance", std::to_string(instance));
    }
    tell(std::move(event));
}

void Fleet::Core::note_grant(const Waiting& ticket, const scheduler::Grant& grant) {
    ++counts_[ticket.asker.model].granted;
    if (ticket.waits) {
        decisions_.granted(grant);
    } else if (!ticket.asker.request.empty()) {
        decisions_.passed(ticket.asker.request, ticket.asker.model, ticket.asker.came,
                          grant.instance);
    }
}

void Fleet::Core::note_refusal(const scheduler::Refuse& action) {
    const auto waiting = tickets_.find(action.ticket);
    if (waiting == tickets_.end()) {
        return;
    }
    if (action.reason.why != scheduler::Why::unknown_model) {  // of such there may be any number
        ++counts_[action.model].refused;
    }
    decisions_.refused(action.ticket, waiting->second->asker, action.reason);
}

void Fleet::Core::tell(api::Event event) {
    if (event.type != "request.refused") {  // those are kept one by one, and this is one a second
        decisions_.add(event);
    }
    if (services_.events) {
        services_.events(std::move(event));
    }
}

void Fleet::Core::on_probe(Instance& instance, std::optional<std::chrono::microseconds> took) {
    health_.probed(instance.plan().model, took, turn_now());
    if (!took) {
        spdlog::warn("'{}' (server {}) did not answer a health check", instance.plan().model,
                     instance.plan().id);
    }
}

std::vector<HealthReport> Fleet::Core::health() const {
    auto reports = health_.reports(turn_now());
    for (auto& report : reports) {
        report.state = view(report.model).state;
    }
    return reports;
}

void Fleet::Core::note_report(std::uint64_t instance, const LeaseReport& report) {
    const auto kept = instances_.find(instance);
    if (kept == instances_.end()) {
        return;
    }
    if (report.tokens_per_second) {
        kept->second.instance->rate(*report.tokens_per_second);
    }
    if (report.answered) {
        kept->second.instance->answered(*report.answered);
    }
}

void Fleet::Core::on_closing_instance(std::function<void(std::uint64_t)> callback) {
    on_closing_instance_.push_back(std::move(callback));
}

void Fleet::Core::on_change(std::function<void()> callback) {
    on_change_.push_back(std::move(callback));
}

Fleet::Totals Fleet::Core::totals() const {
    auto totals = totals_;
    totals.queued = scheduler_.world().waiters.size();
    totals.processing = scheduler_.world().granted.size();
    return totals;
}

}  // namespace routerd
