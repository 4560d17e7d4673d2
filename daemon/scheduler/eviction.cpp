#include "daemon/scheduler/eviction.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace routerd::scheduler {
namespace {

bool is_cheaper(const Option& a, const Option& b) {
    return std::tuple(a.cost, a.resident->last_used, a.resident->id) <
           std::tuple(b.cost, b.resident->last_used, b.resident->id);
}

/// Bytes that it frees where `wanted` needs some.
double useful_bytes(const Resident& resident, const Footprint& wanted) {
    double bytes = 0;
    for (const auto& [device, needed] : wanted) {
        const auto held = resident.reserved.find(device);
        if (held != resident.reserved.end()) {
            bytes += static_cast<double>(std::min(held->second, needed));
        }
    }
    return bytes;
}

bool helps(const Resident& resident, const Ledger::Lack& lack) {
    if (!lack.group.empty()) {
        const auto& groups = resident.places.groups;
        return std::ranges::find(groups, lack.group) != groups.end();
    }
    if (lack.device.empty()) {
        return resident.places.counts;
    }
    const auto held = resident.reserved.find(lack.device);
    return held != resident.reserved.end() && held->second > 0;
}

/// Where nobody has seen it load: as it comes from a disk.
Milliseconds guessed_load(const Footprint& footprint) {
    constexpr std::uint64_t rate = 1U << 20U;  // bytes a millisecond
    std::uint64_t bytes = 0;
    for (const auto& [device, needed] : footprint) {
        bytes += needed;
    }
    return Milliseconds(static_cast<std::int64_t>(bytes / rate));
}

Eviction evict(const Options& chosen, const Footprint& placement) {
    Eviction eviction{.placement = placement, .victims = {}, .cost = 0};
    for (const auto& option : chosen) {
        eviction.victims.push_back(option.resident->id);
        eviction.cost += option.cost;
    }
    return eviction;
}

/// Takes `options` in their order as long as something lacks, then lets go again of those, the
/// costliest first, that are not needed after all.
std::optional<Eviction> in_order(const Options& options, Ledger ledger, const Footprint& placement,
                                 const Places& places) {
    Options chosen;
    auto left = options;
    for (auto lack = ledger.lack(placement, places); lack; lack = ledger.lack(placement, places)) {
        const auto next = std::ranges::find_if(
            left, [&lack](const Option& option) { return helps(*option.resident, *lack); });
        if (next == left.end()) {
            return std::nullopt;
        }
        ledger.give(next->resident->reserved, next->resident->places);
        chosen.push_back(*next);
        left.erase(next);
    }
    std::ranges::sort(chosen, is_cheaper);
    for (auto i = chosen.size(); i-- > 0;) {
        auto without = ledger;
        without.take(chosen[i].resident->reserved, chosen[i].resident->places);
        if (without.fits(placement, places)) {
            ledger = without;
            chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return evict(chosen, placement);
}

std::optional<Eviction> single(const Options& options, const Ledger& ledger,
                               const Footprint& placement, const Places& places) {
    for (const auto& option : options) {
        auto without = ledger;
        without.give(option.resident->reserved, option.resident->places);
        if (without.fits(placement, places)) {
            return evict({option}, placement);
        }
    }
    return std::nullopt;
}

void keep_better(std::optional<Eviction>& best, std::optional<Eviction> other) {
    const auto rank = [](const Eviction& eviction) {
        return std::pair(eviction.cost, eviction.victims.size());
    };
    if (other && (!best || rank(*other) < rank(*best))) {
        best = std::move(other);
    }
}

/// When servers are free, the first at first.
using Freed = std::vector<std::pair<TimePoint, const Resident*>>;

/// When there is room for `placement`, were all that it lacks given by the first who have it.
TimePoint free_for(const Footprint& placement, const Places& places, Ledger ledger, Freed servers) {
    auto time = TimePoint::min();
    for (auto lack = ledger.lack(placement, places); lack; lack = ledger.lack(placement, places)) {
        const auto next = std::ranges::find_if(
            servers, [&lack](const auto& server) { return helps(*server.second, *lack); });
        if (next == servers.end()) {
            return TimePoint::max();
        }
        time = next->first;
        ledger.give(next->second->reserved, next->second->places);
        servers.erase(next);
    }
    return time;
}

}  // namespace

double cost_of(const Resident& resident, const World& world, TimePoint now) {
    const auto measured = world.load_times.find(resident.model);
    const auto load =
        measured == world.load_times.end() ? guessed_load(resident.reserved) : measured->second;
    const auto usage = world.usage.find(resident.model);
    const double chance =
        usage == world.usage.end() ? 0 : usage->second.popularity.chance_of_return(now);
    const auto servers = world.servers.at(resident.model).size();
    return chance * static_cast<double>(std::max<std::int64_t>(load.count(), 1)) /
           static_cast<double>(servers);
}

Options options_of(const World& world, TimePoint now) {
    Options options;
    for (const auto& [id, resident] : world.residents) {
        if (resident.phase == Phase::ready && !is_pinned(world, resident)) {
            options.push_back({&resident, cost_of(resident, world, now)});
        }
    }
    std::ranges::sort(options, is_cheaper);
    return options;
}

const Resident* first_to_give(const Options& options, const Ledger::Lack& lack,
                              const std::function<bool(const Resident&)>& may_go) {
    const auto found = std::ranges::find_if(options, [&](const Option& option) {
        return helps(*option.resident, lack) && may_go(*option.resident);
    });
    return found == options.end() ? nullptr : found->resident;
}

std::optional<Footprint> first_to_be_free(
    const World& world, const Ledger& ledger, const std::string& model,
    const std::function<std::optional<TimePoint>(const Resident&)>& free_at) {
    Freed servers;
    for (const auto& [id, resident] : world.residents) {
        if (const auto time = free_at(resident)) {
            servers.emplace_back(*time, &resident);
        }
    }
    std::ranges::stable_sort(servers, {}, [](const auto& server) { return server.first; });
    const auto& places = places_of(world, model);
    std::optional<Footprint> first;
    auto first_time = TimePoint::max();
    for (const auto& placement : placements_of(world, model)) {
        const auto time = free_for(placement, places, ledger, servers);
        if (time < first_time) {
            first_time = time;
            first = placement;
        }
    }
    return first;
}

std::optional<Eviction> cheapest_eviction(const World& world, const Ledger& ledger,
                                          const std::string& model, const Options& options,
                                          const std::function<bool(const Resident&)>& may_go) {
    Options willing;
    std::ranges::copy_if(options, std::back_inserter(willing),
                         [&may_go](const Option& option) { return may_go(*option.resident); });
    if (willing.empty()) {
        return std::nullopt;
    }
    auto without_all = ledger;
    for (const auto& option : willing) {
        without_all.give(option.resident->reserved, option.resident->places);
    }
    const auto& places = places_of(world, model);
    std::optional<Eviction> best;
    for (const auto& placement : placements_of(world, model)) {
        if (!without_all.fits(placement, places)) {
            continue;
        }
        keep_better(best, single(willing, ledger, placement, places));
        keep_better(best, in_order(willing, ledger, placement, places));
        auto by_yield = willing;
        std::ranges::stable_sort(by_yield, {}, [&placement](const Option& option) {
            return option.cost / (1 + useful_bytes(*option.resident, placement));
        });
        keep_better(best, in_order(by_yield, ledger, placement, places));
    }
    return best;
}

}  // namespace routerd::scheduler
