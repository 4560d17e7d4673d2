#include "daemon/scheduler/eviction.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace routerd::scheduler {
namespace {

struct Option {
    const Resident* resident = nullptr;
    double cost = 0;
};

using Options = std::vector<Option>;

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
    const auto held = resident.reserved.find(lack.device);
    return lack.device.empty() || (held != resident.reserved.end() && held->second > 0);
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
std::optional<Eviction> in_order(const Options& options, Ledger ledger,
                                 const Footprint& placement) {
    Options chosen;
    auto left = options;
    for (auto lack = ledger.lack(placement); lack; lack = ledger.lack(placement)) {
        const auto next = std::ranges::find_if(
            left, [&lack](const Option& option) { return helps(*option.resident, *lack); });
        if (next == left.end()) {
            return std::nullopt;
        }
        ledger.give(next->resident->reserved);
        chosen.push_back(*next);
        left.erase(next);
    }
    std::ranges::sort(chosen, is_cheaper);
    for (auto i = chosen.size(); i-- > 0;) {
        auto without = ledger;
        without.take(chosen[i].resident->reserved);
        if (without.fits(placement)) {
            ledger = without;
            chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return evict(chosen, placement);
}

std::optional<Eviction> single(const Options& options, const Ledger& ledger,
                               const Footprint& placement) {
    for (const auto& option : options) {
        auto without = ledger;
        without.give(option.resident->reserved);
        if (without.fits(placement)) {
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

}  // namespace

double cost_of(const Resident& resident, const World& world, TimePoint now) {
    const auto measured = world.load_times.find(resident.model);
    const auto load = measured == world.load_times.end()
                          ? between(resident.started, resident.ready_at)
                          : measured->second;
    const auto popularity = world.popularity.find(resident.model);
    const double chance =
        popularity == world.popularity.end() ? 0 : popularity->second.chance_of_return(now);
    return chance * static_cast<double>(std::max<std::int64_t>(load.count(), 1));
}

std::optional<Eviction> cheapest_eviction(const World& world, const Ledger& ledger,
                                          const std::vector<Footprint>& placements,
                                          const std::function<bool(const Resident&)>& may_go,
                                          TimePoint now) {
    Options options;
    for (const auto& [id, resident] : world.residents) {
        if (may_go(resident)) {
            options.push_back({&resident, cost_of(resident, world, now)});
        }
    }
    std::ranges::sort(options, is_cheaper);
    std::optional<Eviction> best;
    for (const auto& placement : placements) {
        keep_better(best, single(options, ledger, placement));
        keep_better(best, in_order(options, ledger, placement));
        auto by_yield = options;
        std::ranges::stable_sort(by_yield, {}, [&placement](const Option& option) {
            return option.cost / (1 + useful_bytes(*option.resident, placement));
        });
        keep_better(best, in_order(by_yield, ledger, placement));
    }
    return best;
}

}  // namespace routerd::scheduler
