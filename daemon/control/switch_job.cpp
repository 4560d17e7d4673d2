#include "daemon/control/switch_job.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/api/codec.hpp"
#include "common/api/error_body.hpp"
#include "common/base/units.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {

asio::awaitable<void> make_way(Fleet& fleet, std::string id) {
    co_await fleet.unload(std::move(id));
}

api::SwitchPlan plan_switch(const Fleet& fleet, const std::string& id, bool exclusive) {
    const auto plan = fleet.preview(id, exclusive);
    api::SwitchPlan shown;
    shown.model = id;
    shown.state = to_string(plan.state);
    shown.load = plan.state != InstanceState::ready;
    shown.note = plan.note;
    for (const auto& eviction : plan.evictions) {
        shown.evict.push_back({.instance = eviction.instance,
                               .model = eviction.model,
                               .busy = eviction.busy,
                               .memory_bytes = eviction.bytes,
                               .reason = eviction.reason});
    }
    return shown;
}

SwitchJob::SwitchJob(Control& control, std::string id, bool exclusive)
    : control_(control),
      fleet_(control.services().fleet),
      id_(std::move(id)),
      exclusive_(exclusive),
      begun_(std::chrono::steady_clock::now()),
      changed_(control.services().executor) {}

asio::awaitable<void> SwitchJob::run() {
    begin("resolve", id_, "");
    previous_ = control_.services().catalog.snapshot()->default_model;
    end("resolve", id_, "'" + id_ + "'");
    auto outcome = co_await persist();
    const auto watching = control_.on_fleet_change([this] { watch(); });
    if (outcome && exclusive_) {
        co_await make_room();
    }
    if (outcome) {
        outcome = co_await load();
    }
    finish(outcome);
}

asio::awaitable<Result<void>> SwitchJob::persist() {
    begin("persist", id_, "");
    const auto kept = co_await control_.services().catalog.set_default(id_);
    if (!kept) {
        co_return kept.error();
    }
    end("persist", id_, "it is the default model, also after a restart");
    co_return Result<void>();
}

void SwitchJob::note_victims(const LoadPlan& plan) {
    for (const auto& eviction : plan.evictions) {
        const auto view = fleet_.view(eviction.model);
        const auto is_known = [&view](const Victim& known) { return known.instance == view.id; };
        if (view.id != 0 && std::none_of(victims_.begin(), victims_.end(), is_known)) {
            victims_.push_back({eviction.model, view.id, eviction.reason});
        }
    }
}

bool SwitchJob::is_gone(const Victim& victim) const {
    return fleet_.view(victim.model).id != victim.instance;
}

/// All drain side by side; one that a new request starts again meanwhile is not waited for.
asio::awaitable<void> SwitchJob::make_room() {
    note_victims(fleet_.preview(id_, true));
    for (const auto& victim : victims_) {
        control_.tasks().spawn(make_way(fleet_, victim.model));
    }
    const auto gone = [this](const Victim& victim) { return is_gone(victim); };
    while (!std::all_of(victims_.begin(), victims_.end(), gone)) {
        co_await changed_.wait();
    }
    watch();
}

asio::awaitable<Result<void>> SwitchJob::load() {
    if (fleet_.model_state(id_) == InstanceState::ready) {
        begin("ready", id_, "");
        end("ready", id_, "it was loaded already");
        co_return Result<void>();
    }
    note_victims(fleet_.preview(id_, false));
    begin("load", id_, "");
    const auto loaded = co_await fleet_.load(id_);
    watch();
    if (!loaded) {
        co_return loaded.error();
    }
    const auto view = fleet_.view(id_);
    end("load", id_,
        view.load_time ? "its server was ready after " + format_duration(*view.load_time)
                       : "its server is ready");
    begin("ready", id_, "");
    end("ready", id_, view.address);
    co_return Result<void>();
}

/// The victims' drains and ends happen elsewhere; here they are seen and told.
void SwitchJob::watch() {
    for (const auto& victim : victims_) {
        watch_victim(victim);
    }
    changed_.notify();
}

void SwitchJob::watch_victim(const Victim& victim) {
    const auto view = fleet_.view(victim.model);
    const bool gone = view.id != victim.instance;
    if (!gone && view.state == InstanceState::draining) {
        begin("drain", victim.model,
              std::to_string(view.busy) + " requests finish; " + victim.reason);
    }
    if (gone || view.state == InstanceState::stopping) {
        end("drain", victim.model, "");
    }
    if (!gone && view.state == InstanceState::stopping) {
        begin("unload", victim.model, victim.reason);
    }
    if (gone) {
        end("unload", victim.model, "");
    }
}

void SwitchJob::tell(std::string name, std::string data) {
    told_.push_back({std::move(name), std::move(data)});
    if (on_told_) {
        on_told_();
    }
}

void SwitchJob::begin(const std::string& name, const std::string& model,
                      const std::string& message) {
    const auto same = [&](const Stage& stage) {
        return stage.name == name && stage.model == model;
    };
    if (std::any_of(open_.begin(), open_.end(), same)) {
        return;
    }
    open_.push_back({name, model, std::chrono::steady_clock::now()});
    const api::SwitchStage stage{
        .name = name, .model = model, .ms = std::nullopt, .message = message};
    tell("stage", api::encode(stage));
}

void SwitchJob::end(const std::string& name, const std::string& model, const std::string& message) {
    for (auto stage = open_.begin(); stage != open_.end(); ++stage) {
        if (stage->name == name && stage->model == model) {
            const api::SwitchStage over{
                .name = name, .model = model, .ms = since(stage->begun), .message = message};
            open_.erase(stage);
            tell("stage", api::encode(over));
            return;
        }
    }
}

void SwitchJob::finish(const Result<void>& outcome) {
    over_ = true;
    if (!outcome) {
        tell("error", api::encode(api::ErrorBody::from(outcome.error())));
        return;
    }
    const auto view = fleet_.view(id_);
    api::SwitchResult result;
    result.model = id_;
    result.state = to_string(view.state);
    result.total_ms = since(begun_);
    if (!previous_.empty()) {
        result.previous = previous_;
    }
    if (view.is_there()) {
        result.instance = to_instance(view);
    }
    for (const auto& victim : victims_) {
        if (is_gone(victim)) {
            result.evicted.push_back(victim.model);
        }
    }
    tell("done", api::encode(result));
}

}  // namespace routerd
