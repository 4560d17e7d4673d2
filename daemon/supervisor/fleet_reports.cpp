// The part of the fleet that tells what it has and does; only cancel() changes something.
#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "daemon/estimate/saturating.hpp"
#include "daemon/supervisor/fleet_core.hpp"
#include "daemon/supervisor/wall_time.hpp"

namespace routerd {

std::vector<DeviceReport> Fleet::Core::memory() const {
    std::vector<DeviceReport> all;
    for (const auto& state : memory_.devices()) {
        DeviceReport report;
        report.device = state.device;
        report.total = state.total;
        report.usable = state.usable;
        report.foreign = state.foreign;
        report.error = state.error;
        add_holders(report);
        report.free = sat_sub(report.usable, sat_add(report.foreign, report.reserved));
        all.push_back(std::move(report));
    }
    return all;
}

void Fleet::Core::add_holders(DeviceReport& report) const {
    for (const auto& [id, resident] : scheduler_.world().residents) {
        const auto held = resident.reserved.find(report.device.id);
        const auto kept = instances_.find(id);
        if (held != resident.reserved.end() && kept != instances_.end()) {
            const auto view = complete(kept->second.instance->view(), &resident);
            report.holders.push_back({id, resident.model, view.state, held->second});
            report.reserved = sat_add(report.reserved, held->second);
        }
    }
}

WaitingReport Fleet::Core::waiting(scheduler::TicketId ticket,
                                   const scheduler::Waiter& waiter) const {
    WaitingReport report;
    report.ticket = ticket;
    report.model = waiter.model;
    report.since = wall_time_of(waiter.since);
    if (waiter.deadline != TimePoint::max()) {
        report.deadline = wall_time_of(waiter.deadline);
    }
    report.reason = describe(what_it_waits_for(scheduler_, ticket));
    if (const auto found = tickets_.find(ticket); found != tickets_.end()) {
        const auto& state = *found->second;
        report.request_id = state.asker.request;
        report.key = state.key;
        report.priority = state.priority;
        report.progress = progress(ticket);
    }
    return report;
}

std::vector<WaitingReport> Fleet::Core::queue() const {
    std::vector<WaitingReport> all;
    for (const auto& [ticket, waiter] : scheduler_.world().waiters) {
        all.push_back(waiting(ticket, waiter));
    }
    std::ranges::sort(all, {}, [](const WaitingReport& report) {
        return std::tuple(report.model, report.progress.position, report.ticket);
    });
    return all;
}

Result<WaitingReport> Fleet::Core::cancel(const std::string& request) {
    const auto number = number_in<std::uint64_t>(request);
    const auto found = std::ranges::find_if(tickets_, [&](const auto& entry) {
        const auto& id = entry.second->asker.request;
        return (!id.empty() && id == request) || (number && entry.first == *number);
    });
    const auto& waiters = scheduler_.world().waiters;
    const auto waiter = found == tickets_.end() ? waiters.end() : waiters.find(found->first);
    if (waiter == waiters.end()) {
        return Error(Errc::not_found, "no request '" + escaped(request) + "' waits")
            .with_hint("routerctl queue shows those that do");
    }
    auto report = waiting(waiter->first, waiter->second);
    auto& state = *found->second;
    tickets_.erase(found);
    ++totals_.refused;
    ++counts_[report.model].refused;
    decisions_.cancelled(state.id);
    end_limited(state.id, 0);
    carry_out(scheduler_.on_leave(report.ticket, turn_now()));
    state.settle(Error(Errc::cancelled, "the request for '" + report.model +
                                            "' was taken out of the queue by a command"));
    return report;
}

std::map<std::string, QueueTotals> Fleet::Core::queue_totals() const {
    const auto& world = scheduler_.world();
    std::map<std::string, QueueTotals> all;
    for (const auto& [ticket, waiter] : world.waiters) {
        ++all[waiter.model].queued;
    }
    for (const auto& [ticket, grant] : world.granted) {
        const auto resident = world.residents.find(grant.instance);
        if (resident != world.residents.end()) {  // else its server is gone, and it will be, too
            ++all[resident->second.model].processing;
        }
    }
    for (const auto& [model, counts] : counts_) {
        auto& totals = all[model];
        totals.processed = sat_sub(counts.granted, totals.processing);
        totals.rejected = counts.refused;
    }
    return all;
}

Result<std::vector<Decision>> Fleet::Core::explain(const std::string& model_or_request) const {
    auto decisions = decisions_.about_model(model_or_request);
    if (decisions.empty()) {
        decisions = decisions_.about_request(model_or_request);
    }
    const bool is_known = !decisions.empty() || enabled_model(model_or_request) != nullptr;
    if (!is_known) {
        return Error(Errc::not_found,
                     "nothing is known of a model or request '" + escaped(model_or_request) + "'")
            .with_hint(
                "requests are told by the x-request-id of their answers; the newest few "
                "thousand since the daemon's start are kept");
    }
    return decisions;
}

}  // namespace routerd
