#include "daemon/supervisor/placement_search.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

constexpr std::size_t most_whole = 16;   // options of a model
constexpr std::size_t most_tried = 32;   // splits that are worked out for one
constexpr std::size_t most_in_sets = 8;  // GPUs of which every set is looked at

using Gpus = std::vector<DevicePlan::Gpu>;

/// Every set of two or more of `gpus`, the smaller first, then by number.
std::vector<Gpus> sets_of(const Gpus& gpus) {
    const auto count = std::min(gpus.size(), most_in_sets);
    std::vector<Gpus> sets;
    for (unsigned mask = 1; mask < 1U << count; ++mask) {
        Gpus set;
        std::ranges::copy_if(gpus, std::back_inserter(set), [&](const DevicePlan::Gpu& gpu) {
            const auto index = static_cast<std::size_t>(&gpu - gpus.data());
            return index < count && (mask >> index & 1U) != 0;
        });
        if (set.size() > 1) {
            sets.push_back(std::move(set));
        }
    }
    if (gpus.size() > most_in_sets) {
        sets.push_back(gpus);
    }
    std::ranges::stable_sort(sets, {}, &Gpus::size);
    return sets;
}

bool fits_on(const std::map<std::string, std::uint64_t>& usable, const std::string& device,
             std::uint64_t bytes) {
    const auto room = usable.find(device);
    return room == usable.end() || bytes <= room->second;
}

}  // namespace

bool fits_within(const scheduler::Footprint& footprint,
                 const std::map<std::string, std::uint64_t>& usable) {
    return std::ranges::all_of(footprint, [&usable](const auto& need) {
        return fits_on(usable, need.first, need.second);
    });
}

PlacementSearch::PlacementSearch(Machine machine, Limits limits, Weigh weigh)
    : machine_(std::move(machine)), limits_(limits), weigh_(std::move(weigh)) {}

MemoryOption PlacementSearch::weighed(const Gpus& gpus, std::optional<std::uint64_t> layers) const {
    DevicePlan plan;
    plan.kinds = machine_.kinds;
    plan.decided = true;
    plan.gpus = gpus;
    plan.gpu_layers = layers;
    if (gpus.size() == 1) {
        plan.gpus.front().share = 1;
    }
    return weigh_(plan);
}

bool PlacementSearch::fits(const MemoryOption& way) const {
    return fits_within(way.footprint, machine_.usable);
}

bool PlacementSearch::fits_gpus(const MemoryOption& way) const {
    return std::ranges::all_of(way.where.gpus, [&](const auto& gpu) {
        const auto need = way.footprint.find(gpu.device);
        return need == way.footprint.end() || fits_on(machine_.usable, gpu.device, need->second);
    });
}

std::vector<MemoryOption> PlacementSearch::all() const {
    auto ways = whole(most_whole);
    if (ways.empty() && !limits_.gpu_layers) {
        ways = partial();
    }
    if (ways.empty() && !limits_.gpu_layers && limits_.may_leave_gpus) {
        auto on_host = weighed({}, std::nullopt);
        if (fits(on_host)) {
            ways.push_back(std::move(on_host));
        }
    }
    if (ways.empty()) {
        const auto largest =
            std::ranges::max_element(machine_.gpus, {}, [this](const DevicePlan::Gpu& gpu) {
                const auto room = machine_.usable.find(gpu.device);
                return room == machine_.usable.end() ? ~0ULL : room->second;
            });
        ways.push_back(weighed({*largest}, limits_.gpu_layers));
    }
    return ways;
}

std::vector<MemoryOption> PlacementSearch::whole(std::size_t most) const {
    std::vector<MemoryOption> ways;
    for (const auto& gpu : machine_.gpus) {
        auto way = weighed({gpu}, limits_.gpu_layers);
        if (fits(way) && ways.size() < most) {
            ways.push_back(std::move(way));
        }
    }
    if (ways.size() < most) {
        add_splits(ways, most);
    }
    return ways;
}

void PlacementSearch::add_splits(std::vector<MemoryOption>& ways, std::size_t most) const {
    const auto sets = splits();
    if (sets.empty()) {
        return;
    }
    const auto& first = machine_.gpus.front();
    const auto alone = weighed({first}, limits_.gpu_layers).footprint;
    const auto found = alone.find(first.device);
    const auto need = found == alone.end() ? 0 : found->second;
    std::size_t tried = 0;
    for (std::size_t i = 0; i < sets.size() && ways.size() < most; ++i) {
        const bool is_last = i + 1 == sets.size();
        if (!may_fit(sets[i], need) || (tried >= most_tried && !is_last)) {
            continue;
        }
        ++tried;
        auto way = weighed(sets[i], limits_.gpu_layers);
        if (fits(way)) {
            ways.push_back(std::move(way));
        }
    }
}

/// A split takes no less in all than the whole does on one GPU, where that is known to be endless.
bool PlacementSearch::may_fit(const Gpus& gpus, std::uint64_t need) const {
    std::uint64_t room = 0;
    for (const auto& gpu : gpus) {
        const auto usable = machine_.usable.find(gpu.device);
        room = sat_add(room, usable == machine_.usable.end() ? ~0ULL : usable->second);
    }
    return need <= room;
}

std::vector<Gpus> PlacementSearch::splits() const {
    std::vector<Gpus> all;
    for (const auto kind : machine_.kinds) {
        Gpus same;
        std::ranges::copy_if(machine_.gpus, std::back_inserter(same),
                             [kind](const auto& gpu) { return gpu.kind == kind; });
        std::ranges::move(sets_of(same), std::back_inserter(all));
    }
    return all;
}

std::vector<MemoryOption> PlacementSearch::partial() const {
    std::vector<Gpus> places = splits();
    // Of the splits only that over all GPUs of a kind: it holds the most.
    std::erase_if(places, [this](const Gpus& set) {
        return set.size() != static_cast<std::size_t>(std::ranges::count_if(
                                 machine_.gpus,
                                 [&set](const auto& gpu) { return gpu.kind == set.front().kind; }));
    });
    for (const auto& gpu : machine_.gpus) {
        places.push_back({gpu});
    }
    std::vector<MemoryOption> ways;
    for (const auto& gpus : places) {
        if (auto way = most_layers(gpus)) {
            ways.push_back(std::move(*way));
        }
    }
    std::ranges::stable_sort(ways, std::greater<>(),
                             [](const auto& way) { return way.estimate.gpu_layers; });
    return ways;
}

std::optional<MemoryOption> PlacementSearch::most_layers(const Gpus& gpus) const {
    std::uint64_t fitting = 0;
    auto too_many = weighed(gpus, std::nullopt).estimate.gpu_layers;
    while (fitting + 1 < too_many) {
        const auto middle = fitting + (too_many - fitting) / 2;
        (fits_gpus(weighed(gpus, middle)) ? fitting : too_many) = middle;
    }
    if (fitting == 0) {
        return std::nullopt;
    }
    auto way = weighed(gpus, fitting);
    return fits(way) ? std::optional(std::move(way)) : std::nullopt;
}

}  // namespace routerd
