// The part of the fleet that shows what it has; it changes nothing.
#include <algorithm>
#include <utility>

#include "daemon/estimate/saturating.hpp"
#include "daemon/scheduler/reason.hpp"
#include "daemon/supervisor/fleet_core.hpp"
#include "daemon/supervisor/wall_time.hpp"

namespace routerd {

Instance* Fleet::Core::instance_of(const std::string& model) const {
    const auto* resident = scheduler_.world().resident_of(model);
    if (resident == nullptr) {
        return nullptr;
    }
    const auto kept = instances_.find(resident->id);
    return kept == instances_.end() ? nullptr : kept->second.instance.get();
}

std::vector<InstanceView> Fleet::Core::instances() const {
    const auto& world = scheduler_.world();
    std::vector<InstanceView> all;
    for (const auto& [id, resident] : world.residents) {
        const auto kept = instances_.find(id);
        if (kept != instances_.end()) {
            all.push_back(complete(kept->second.instance->view(), &resident));
        }
    }
    for (const auto& [model, failure] : world.failures) {
        if (world.resident_of(model) == nullptr) {
            all.push_back(view(model));
        }
    }
    std::ranges::stable_sort(all, {}, &InstanceView::model);
    return all;
}

InstanceView Fleet::Core::view(const std::string& id) const {
    const auto* instance = instance_of(id);
    if (instance != nullptr) {
        return complete(instance->view(), scheduler_.world().resident_of(id));
    }
    InstanceView none;
    none.model = id;
    return complete(std::move(none), nullptr);
}

InstanceView Fleet::Core::complete(InstanceView view, const scheduler::Resident* resident) const {
    const auto& world = scheduler_.world();
    const auto model = world.models.find(view.model);
    view.pinned = model != world.models.end() && model->second.pinned;
    if (const auto queue = world.queues.find(view.model); queue != world.queues.end()) {
        view.queue = queue->second.size();
    }
    add_failure(view);
    if (resident == nullptr) {
        return view;
    }
    view.busy = resident->busy;
    for (const auto& [device, bytes] : resident->reserved) {
        if (device != "host") {
            view.gpus.push_back(device);
            view.gpu_bytes = sat_add(view.gpu_bytes, bytes);
        }
    }
    if (resident->last_used != TimePoint()) {
        view.last_used = wall_time_of(resident->last_used);
    }
    if (resident->phase == scheduler::Phase::draining) {
        view.state = InstanceState::draining;
    } else if (resident->phase == scheduler::Phase::stopping) {
        view.state = InstanceState::stopping;
    }
    const bool goes_when_idle = resident->phase == scheduler::Phase::ready && resident->is_idle() &&
                                !view.pinned && model != world.models.end() &&
                                model->second.idle_unload.count() > 0;
    if (goes_when_idle) {
        view.until = wall_time_of(resident->last_used + model->second.idle_unload);
    }
    return view;
}

void Fleet::Core::add_failure(InstanceView& view) const {
    const auto failure = scheduler_.world().failures.find(view.model);
    if (failure == scheduler_.world().failures.end()) {
        return;
    }
    view.last_error = failure->second.error;
    view.failures = failure->second.count;
    if (view.id != 0) {
        return;
    }
    const bool backs_off = failure->second.until > std::chrono::steady_clock::now();
    view.state = backs_off ? InstanceState::failed : InstanceState::crashed;
    if (backs_off) {
        view.retry_at = wall_time_of(failure->second.until);
    }
}

LoadPlan Fleet::Core::preview(const std::string& id, bool exclusive) const {
    const auto& world = scheduler_.world();
    LoadPlan plan;
    plan.model = id;
    plan.state = view(id).state;
    const auto add = [this, &plan, &world](const std::string& model, std::string reason) {
        const auto* resident = world.resident_of(model);
        const auto* instance = instance_of(model);
        LoadPlan::Eviction eviction;
        eviction.model = model;
        eviction.reason = std::move(reason);
        if (resident != nullptr && instance != nullptr) {
            eviction.instance = resident->id;
            eviction.busy = resident->busy;
            const auto view = complete(instance->view(), resident);
            eviction.bytes = sat_add(view.rss_bytes, view.gpu_bytes);
        }
        plan.evictions.push_back(std::move(eviction));
    };
    const auto trial = scheduler_.plan(id, std::chrono::steady_clock::now());
    for (const auto& drain : trial.evictions) {
        add(drain.model, scheduler::describe(drain.reason));
    }
    if (trial.refusal) {
        plan.note = scheduler::refusal(id, *trial.refusal).message();
    }
    for (const auto& [number, resident] : world.residents) {
        const bool is_listed =
            resident.model == id || resident.is_leaving() ||
            std::ranges::any_of(plan.evictions, [&resident = resident](const auto& eviction) {
                return eviction.model == resident.model;
            });
        const auto model = world.models.find(resident.model);
        const bool is_pinned = model != world.models.end() && model->second.pinned;
        if (exclusive && !is_listed && !is_pinned) {
            add(resident.model, "exclusive: every other model that is not pinned goes");
        }
    }
    return plan;
}

}  // namespace routerd
