// The part of the fleet that does what people and programs ask for.
#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

Error no_such_model(const std::string& id) {
    return Error(Errc::not_found, "no model '" + escaped(id) + "', or it is disabled")
        .with_hint("routerctl ls --all shows what there is");
}

Demand demand_for(const std::string& id) {
    Demand demand;
    demand.model = id;
    demand.priority = Priority::high;
    demand.needs_slot = false;
    return demand;
}

}  // namespace

asio::awaitable<Result<void>> Fleet::Core::load(std::string id) {
    auto ticket = request(demand_for(id), scheduler::Cause::command);
    co_await ticket.wait_until(TimePoint::max());
    const auto lease = ticket.take();
    if (!lease) {
        co_return lease.error();
    }
    co_return Result<void>();
}

Result<void> Fleet::Core::start_load(const std::string& id, scheduler::Cause cause) {
    auto ticket = request(demand_for(id), cause);
    if (ticket.settled()) {
        const auto lease = ticket.take();
        return lease ? Result<void>() : Result<void>(lease.error());
    }
    errands_.push_back(std::move(ticket));
    tasks_.spawn(run_errand(std::prev(errands_.end())));
    return {};
}

asio::awaitable<void> Fleet::Core::run_errand(std::list<Ticket>::iterator errand) {
    co_await errand->wait_until(TimePoint::max());
    errands_.erase(errand);  // gives back what it was granted; a failure is an event already
}

std::vector<std::uint64_t> Fleet::Core::servers_of(const std::string& id) const {
    std::vector<std::uint64_t> numbers;
    for (const auto* resident : scheduler_.world().residents_of(id)) {
        numbers.push_back(resident->id);
    }
    return numbers;
}

asio::awaitable<Result<bool>> Fleet::Core::unload(std::string id) {
    const auto servers = servers_of(id);
    if (servers.empty()) {
        if (enabled_model(id) == nullptr) {
            co_return no_such_model(id);
        }
        co_return false;
    }
    carry_out(scheduler_.on_command(id, scheduler::Scheduler::Command::unload, turn_now()));
    for (const auto server : servers) {
        co_await wait_until_gone(server);
    }
    co_return true;
}

asio::awaitable<std::size_t> Fleet::Core::unload_all() {
    std::vector<std::uint64_t> numbers;
    std::vector<std::string> models;
    for (const auto& [number, kept] : instances_) {
        if (!kept.ended) {
            numbers.push_back(number);
            models.push_back(kept.instance->plan().model);
        }
    }
    for (const auto& model : models) {
        carry_out(scheduler_.on_command(model, scheduler::Scheduler::Command::unload, turn_now()));
    }
    for (const auto number : numbers) {
        co_await wait_until_gone(number);
    }
    co_return numbers.size();
}

asio::awaitable<Result<void>> Fleet::Core::restart(std::string id) {
    if (enabled_model(id) == nullptr) {
        co_return no_such_model(id);
    }
    scheduler_.forget_failures(id);
    const auto servers = servers_of(id);
    carry_out(scheduler_.on_command(id, scheduler::Scheduler::Command::restart, turn_now()));
    for (const auto server : servers) {
        co_await wait_until_gone(server);
    }
    co_return co_await load(std::move(id));
}

Result<std::string> Fleet::Core::reset(const std::string& id) {
    if (enabled_model(id) == nullptr) {
        return no_such_model(id);
    }
    auto error = scheduler_.forget_failures(id);
    changed();
    return error;
}

asio::awaitable<void> Fleet::Core::wait_until_gone(std::uint64_t instance) {
    while (instances_.contains(instance)) {
        co_await gone_.async_wait(no_throw);
    }
}

asio::awaitable<void> Fleet::Core::shutdown(OnShutdown servers) {
    if (servers == OnShutdown::stop_servers) {
        carry_out(scheduler_.on_shutdown(turn_now()));
    } else {
        abandoning_ = true;  // a second signal is not to kill them
        carry_out(scheduler_.on_close(turn_now()));
        co_await wait_for_leases();
        abandon_all();
    }
    co_await close();
}

void Fleet::Core::abandon_all() {
    abandoning_ = true;
    for (auto& [number, kept] : instances_) {
        kept.instance->abandon();
    }
}

/// So that nobody has to be told of a server that ends.
asio::awaitable<void> Fleet::Core::finish_stopping() {
    const auto is_ending = [](const auto& entry) {
        return entry.second.ended || entry.second.instance->state() == InstanceState::stopping;
    };
    while (std::ranges::any_of(instances_, is_ending)) {
        co_await gone_.async_wait(no_throw);
    }
}

/// A load that is waited for cannot be waited for any more; it goes on all the same.
Legacy Fleet::Core::leave_all() {
    const auto& world = scheduler_.world();
    Legacy legacy;
    legacy.next_ticket = next_ticket_;
    for (const auto& [ticket, granted] : world.granted) {
        legacy.held.push_back(
            {ticket, granted.instance, granted.key, granted.has_slot, limited_.contains(ticket)});
    }
    for (const auto& [ticket, waiter] : world.waiters) {
        const auto waiting = tickets_.find(ticket);
        if (waiting == tickets_.end()) {
            continue;
        }
        if (waiter.cause == scheduler::Cause::command) {
            legacy.loads.push_back(waiter.model);
        }
        if (waiter.cause != scheduler::Cause::request) {
            waiting->second->settle(Error(Errc::unavailable, "another routerd takes over")
                                        .with_hint("ask again: it goes on with the load"));
            continue;
        }
        Demand demand;
        demand.model = waiter.model;
        demand.request_id = waiting->second->asker.request;
        demand.priority = waiting->second->priority;
        demand.deadline = waiter.deadline;
        demand.key = waiter.key;
        demand.conversation = waiter.conversation;
        demand.needs_slot = waiter.needs_slot;
        demand.is_limited = limited_.contains(ticket);
        legacy.waiting.push_back({ticket, std::move(demand), waiting->second});
    }
    for (const auto& [instance, resident] : world.residents) {
        if (resident.is_leaving() && resident.leaving.why == scheduler::Why::unload_commanded) {
            legacy.unloads.push_back(resident.model);
        }
    }
    left_ = true;
    tickets_.clear();
    abandon_all();
    return legacy;
}

/// Returns when no instance and no task is left.
asio::awaitable<void> Fleet::Core::close() {
    while (!instances_.empty()) {
        co_await gone_.async_wait(no_throw);
    }
    closed_ = true;
    wake_.notify();
    memory_due_.notify();
    if (follower_) {
        follower_->stop();
    }
    watchers_.cancel();
    co_await watchers_.wait();
    co_await tasks_.wait();
}

asio::awaitable<void> Fleet::Core::wait_for_leases() {
    const auto deadline = steady_now() + config_->limits.drain_timeout;
    while (!scheduler_.world().granted.empty() && !in_hurry_ && turn_now() < deadline) {
        co_await lease_ended_.wait_until(deadline);
    }
}

void Fleet::Core::hurry() {
    in_hurry_ = true;
    if (!abandoning_) {
        carry_out(scheduler_.on_hurry(turn_now()));
        for (auto& [number, kept] : instances_) {
            kept.instance->kill();
        }
    }
    lease_ended_.notify();
}

}  // namespace routerd
