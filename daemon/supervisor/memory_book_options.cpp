// The part of the memory book that weighs models: what they need, where, and what loads taught.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "daemon/estimate/saturating.hpp"
#include "daemon/supervisor/memory_book.hpp"

namespace routerd {
namespace {

/// In memory; what is kept on disk has the same limit.
constexpr std::size_t most_corrections = 10'000;

std::uint64_t size_of_file(const std::string& path) {
    std::error_code ec;
    const auto size = path.empty() ? 0 : std::filesystem::file_size(path, ec);
    return ec ? 0 : size;
}

std::uint64_t size_of_adapters(const Model& model) {
    std::uint64_t bytes = 0;
    for (const auto& adapter : model.settings.lora ? *model.settings.lora : model.adapters) {
        bytes = sat_add(bytes, size_of_file(adapter));
    }
    return bytes;
}

std::uint64_t scaled(std::uint64_t bytes, double factor) {
    constexpr double most = 9e18;
    return static_cast<std::uint64_t>(std::min(static_cast<double>(bytes) * factor, most));
}

/// The launch as it is with this plan.
LaunchParameters put(LaunchParameters launch, const DevicePlan& where) {
    launch.gpus.clear();
    for (const auto& gpu : where.gpus) {
        launch.gpus.push_back({gpu.device, static_cast<double>(gpu.share)});
    }
    launch.gpu_layers = where.gpus.empty() ? std::nullopt : where.gpu_layers;
    return launch;
}

/// "cuda:0" for the first GPU of a plan, whatever its number: what was learned on one holds for
/// another of its kind.
std::string place_name(const std::string& device, std::size_t place) {
    return device.substr(0, device.find_first_of("0123456789")) + ":" + std::to_string(place);
}

LaunchParameters by_place(LaunchParameters launch) {
    for (std::size_t i = 0; i < launch.gpus.size(); ++i) {
        launch.gpus[i].device = place_name(launch.gpus[i].device, i);
    }
    return launch;
}

/// From the names of devices to those of places: estimates list the host first, then the plan's.
Estimate by_place(Estimate estimate) {
    for (std::size_t i = 1; i < estimate.devices.size(); ++i) {
        estimate.devices[i].device = place_name(estimate.devices[i].device, i - 1);
    }
    return estimate;
}

Observed by_place(Observed observed, const Estimate& fresh) {
    const auto rename = [&fresh](std::string& device) {
        const auto found = std::ranges::find(fresh.devices, device, &DeviceNeed::device);
        const auto index = static_cast<std::size_t>(found - fresh.devices.begin());
        if (index > 0 && index < fresh.devices.size()) {  // the host comes first
            device = place_name(device, index - 1);
        }
    };
    for (auto& need : observed.logged) {
        rename(need.device);
    }
    for (auto& held : observed.held) {
        rename(held.device);
    }
    return observed;
}

/// With its projector, of whose file the size is all that is known where it was not read.
Estimate estimate_with(const Model& model, const LaunchParameters& launch) {
    auto estimate = estimate_memory(model.metadata, launch, model.projector.get());
    if (!model.projector) {
        auto& bytes = estimate.devices[estimate.devices.size() > 1 ? 1 : 0].bytes;
        bytes.mmproj = size_of_file(model.mmproj);
    }
    return estimate;
}

/// It wants no GPU, or there is none for it.
bool is_host_only(const LaunchParameters& launch, const PlacementSearch::Machine& on) {
    const bool wants_none =
        launch.gpu_layers == std::uint64_t{0} || (launch.devices && launch.devices->empty());
    return wants_none || on.gpus.empty();
}

}  // namespace

/// The GPUs that the server may use, all of them usable by models.
PlacementSearch::Machine MemoryBook::machine_for(const LaunchParameters& launch) const {
    PlacementSearch::Machine machine;
    machine.usable = usable();
    const auto program = programs_.find(launch.program);
    for (const auto& known : devices_) {
        const auto& device = known.device;
        const bool is_used = device.kind != DeviceKind::host && known.total > 0;
        if (!is_used ||
            (program != programs_.end() && !program->second.kinds.contains(device.kind))) {
            continue;
        }
        machine.kinds.insert(device.kind);
        const bool is_asked = !launch.devices || std::ranges::find(*launch.devices, device.id) !=
                                                     launch.devices->end();
        const auto room = machine.usable.at(device.id);
        if (is_asked && room > 0) {
            const auto share = std::max<std::uint64_t>(room >> 20U, 1);  // MiB are fine enough
            machine.gpus.push_back({device.id, device.kind, device.visible_as, share});
        }
    }
    return machine;
}

/// Whether GPUs may be used of which nothing is known here.
bool MemoryBook::may_use_others(const LaunchParameters& launch) const {
    const auto is_unknown = [this](const std::string& name) { return find(name) == nullptr; };
    if (launch.devices) {
        return std::ranges::any_of(*launch.devices, is_unknown);
    }
    const auto program = programs_.find(launch.program);
    return program != programs_.end() && program->second.has_others &&
           program->second.kinds.empty() && launch.gpu_layers != std::uint64_t{0};
}

std::optional<MemoryBook::Subject> MemoryBook::subject_of(const Model& model,
                                                          const LaunchParameters& launch) const {
    const auto* first = find("host");
    const bool is_dark = first == nullptr || first->total == 0;
    const bool is_anywhere =
        launch.placed == Placed::unreadable && !machine_for(launch).kinds.empty();
    if (is_dark || is_anywhere || may_use_others(launch)) {
        return std::nullopt;
    }
    Subject subject{.model = model, .launch = launch};
    subject.launch.lora_bytes = size_of_adapters(model);
    return subject;
}

/// nullopt where there is nothing to choose.
std::optional<PlacementSearch> MemoryBook::search(const Subject& subject) const {
    const auto& launch = subject.launch;
    auto machine = machine_for(launch);
    if (launch.placed != Placed::by_router || is_host_only(launch, machine)) {
        return std::nullopt;
    }
    const PlacementSearch::Limits limits{launch.gpu_layers, !launch.devices};
    return PlacementSearch(std::move(machine), limits, [this, &subject](const DevicePlan& where) {
        return weigh(subject, where);
    });
}

/// The one way there is where the router does not choose.
std::vector<MemoryOption> MemoryBook::only_way(const Subject& subject) const {
    const auto& launch = subject.launch;
    const auto machine = machine_for(launch);
    DevicePlan where;
    where.kinds = machine.kinds;
    if (is_host_only(launch, machine)) {
        where.decided = !machine.kinds.empty() && launch.placed == Placed::by_router;
        return {weigh(subject, where)};
    }
    if (machine.gpus.size() > 1) {
        return {};  // how the server splits it depends on what is free when it looks
    }
    where.gpus = machine.gpus;
    where.gpus.front().share = 1;
    where.gpu_layers = launch.gpu_layers;
    auto way = weigh(subject, where);
    const bool is_cut = !launch.gpu_layers && !fits_within(way.footprint, machine.usable);
    return is_cut ? std::vector<MemoryOption>() : std::vector{std::move(way)};
}

std::vector<MemoryOption> MemoryBook::options(const Model& model,
                                              const LaunchParameters& launch) const {
    const auto subject = subject_of(model, launch);
    if (!subject) {
        return {};
    }
    const auto choice = search(*subject);
    return choice ? choice->all() : only_way(*subject);
}

std::optional<MemoryOption> MemoryBook::option_at(const Model& model,
                                                  const LaunchParameters& launch,
                                                  const DevicePlan& where) const {
    const auto ways = options(model, launch);
    const auto subject = subject_of(model, launch);
    if (ways.empty() || !subject) {
        return std::nullopt;
    }
    const auto kinds = machine_for(launch).kinds;
    const bool is_possible = std::ranges::all_of(
        where.gpus, [&kinds](const DevicePlan::Gpu& gpu) { return kinds.contains(gpu.kind); });
    return is_possible ? weigh(*subject, where) : ways.front();
}

bool MemoryBook::fits_well(const Model& model, const LaunchParameters& launch) const {
    auto subject = subject_of(model, launch);
    if (!subject) {
        return true;
    }
    subject->decides_context = true;
    if (const auto choice = search(*subject)) {
        return choice->fits_whole();
    }
    const auto ways = only_way(*subject);
    return ways.empty() || fits_within(ways.front().footprint, usable());
}

MemoryOption MemoryBook::weigh(const Subject& subject, const DevicePlan& where) const {
    const auto launch = put(subject.launch, where);
    MemoryOption option;
    option.where = where;
    option.estimate = estimate_with(subject.model, launch);
    const auto fresh = option.estimate.devices;
    const bool is_corrected = correct(option, subject, launch);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const auto guess = scaled(fresh[i].bytes.total(), config_.safety_factor);
        auto& need = option.footprint[fresh[i].device];
        need = is_corrected ? option.estimate.devices[i].bytes.total() : guess;
        if (subject.decides_context && !option.learned) {
            need = std::max(need, guess);
        }
    }
    return option;
}

/// By a load of just this, else by the last one of this model, in proportion. False: there was
/// none.
bool MemoryBook::correct(MemoryOption& option, const Subject& subject,
                         const LaunchParameters& launch) const {
    const auto& metadata = subject.model.metadata;
    const auto exact = corrections_.find(fingerprint(metadata, by_place(launch)));
    const auto similar = by_model_.find(fingerprint(metadata));
    option.learned = exact != corrections_.end();
    if (!option.learned && similar == by_model_.end()) {
        return false;
    }
    const auto fresh = option.estimate.devices;
    const auto& correction = option.learned ? exact->second : similar->second;
    option.estimate = corrected(by_place(option.estimate), correction);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        option.estimate.devices[i].device = fresh[i].device;
    }
    return true;
}

Lesson MemoryBook::learn(const Model& model, const LaunchParameters& launch,
                         const DevicePlan& where, const Observed& observed) {
    auto at = put(launch, where);
    at.lora_bytes = size_of_adapters(model);
    const auto fresh = estimate_with(model, at);
    Lesson lesson;
    lesson.fingerprint = fingerprint(model.metadata, by_place(at));
    lesson.model = fingerprint(model.metadata);
    lesson.correction = routerd::learn(by_place(fresh), by_place(observed, fresh));
    recall(lesson);
    return lesson;
}

void MemoryBook::recall(Lesson lesson) {
    if (corrections_.size() >= most_corrections && !corrections_.contains(lesson.fingerprint)) {
        corrections_.erase(corrections_.begin());
    }
    if (by_model_.size() >= most_corrections && !by_model_.contains(lesson.model)) {
        by_model_.erase(by_model_.begin());
    }
    by_model_[lesson.model] = lesson.correction;
    corrections_[lesson.fingerprint] = std::move(lesson.correction);
}

}  // namespace routerd
