#include "daemon/scheduler/ledger.hpp"

#include <algorithm>

#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {
namespace {

std::int64_t as_signed(std::uint64_t bytes) {
    constexpr auto most = std::uint64_t{1} << 62U;
    return static_cast<std::int64_t>(std::min(bytes, most));
}

}  // namespace

Ledger Ledger::empty(const World& world) {
    Ledger ledger;
    for (const auto& [device, budget] : world.budgets) {
        ledger.free_[device] = as_signed(budget.usable);
    }
    if (world.rules.max_loaded > 0) {
        ledger.places_ = world.rules.max_loaded;
    }
    for (const auto& [group, places] : world.rules.groups) {
        ledger.groups_[group] = places;
    }
    return ledger;
}

Ledger Ledger::beside_others(const World& world) {
    auto ledger = empty(world);
    for (const auto& [device, budget] : world.budgets) {
        ledger.free_[device] -= as_signed(budget.foreign);
    }
    return ledger;
}

Ledger Ledger::now(const World& world) {
    auto ledger = beside_others(world);
    for (const auto& [id, resident] : world.residents) {
        ledger.take(resident.reserved, resident.places);
    }
    return ledger;
}

std::optional<Ledger::Lack> Ledger::lack(const Footprint& footprint, const Places& places) const {
    if (places.counts && places_ && *places_ < 1) {
        return Lack{};
    }
    for (const auto& group : places.groups) {
        const auto left = groups_.find(group);
        if (left != groups_.end() && left->second < 1) {
            Lack lack;
            lack.group = group;
            return lack;
        }
    }
    for (const auto& [device, bytes] : footprint) {
        const auto free = free_.find(device);
        if (free != free_.end() && free->second < as_signed(bytes)) {
            Lack lack{.device = device, .group = "", .wanted = bytes, .free = 0};
            lack.free = static_cast<std::uint64_t>(std::max<std::int64_t>(free->second, 0));
            return lack;
        }
    }
    return std::nullopt;
}

std::optional<Ledger::Lack> Ledger::overdrawn(Of what) const {
    const auto is_below_zero = [](const auto& entry) { return entry.second < 0; };
    if (places_ && *places_ < 0) {
        return Lack{};
    }
    Lack lack;
    if (const auto group = std::ranges::find_if(groups_, is_below_zero); group != groups_.end()) {
        lack.group = group->first;
        return lack;
    }
    const auto device = std::ranges::find_if(free_, is_below_zero);
    if (what == Of::places || device == free_.end()) {
        return std::nullopt;
    }
    lack.device = device->first;
    lack.wanted = static_cast<std::uint64_t>(-device->second);
    return lack;
}

bool Ledger::fits(const Footprint& footprint, const Places& places) const {
    return !lack(footprint, places);
}

void Ledger::take(const Footprint& footprint, const Places& places) {
    for (const auto& [device, bytes] : footprint) {
        if (const auto free = free_.find(device); free != free_.end()) {
            free->second -= as_signed(bytes);
        }
    }
    if (places.counts && places_) {
        --*places_;
    }
    for (const auto& group : places.groups) {
        if (const auto left = groups_.find(group); left != groups_.end()) {
            --left->second;
        }
    }
}

void Ledger::give(const Footprint& footprint, const Places& places) {
    for (const auto& [device, bytes] : footprint) {
        if (const auto free = free_.find(device); free != free_.end()) {
            free->second += as_signed(bytes);
        }
    }
    if (places.counts && places_) {
        ++*places_;
    }
    for (const auto& group : places.groups) {
        if (const auto left = groups_.find(group); left != groups_.end()) {
            ++left->second;
        }
    }
}

std::optional<Footprint> first_that_fits(const std::vector<Footprint>& placements,
                                         const Places& places, const Ledger& ledger) {
    const auto found = std::ranges::find_if(
        placements, [&](const Footprint& placement) { return ledger.fits(placement, places); });
    return found == placements.end() ? std::nullopt : std::optional(*found);
}

}  // namespace routerd::scheduler
