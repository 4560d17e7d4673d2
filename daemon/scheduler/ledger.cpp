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
        ledger.take(resident.reserved);
    }
    return ledger;
}

std::optional<Ledger::Lack> Ledger::lack(const Footprint& footprint) const {
    if (places_ && *places_ < 1) {
        return Lack{};
    }
    for (const auto& [device, bytes] : footprint) {
        const auto free = free_.find(device);
        if (free != free_.end() && free->second < as_signed(bytes)) {
            const auto left = std::max<std::int64_t>(free->second, 0);
            return Lack{device, bytes, static_cast<std::uint64_t>(left)};
        }
    }
    return std::nullopt;
}

bool Ledger::fits(const Footprint& footprint) const {
    return !lack(footprint);
}

void Ledger::take(const Footprint& footprint) {
    for (const auto& [device, bytes] : footprint) {
        if (const auto free = free_.find(device); free != free_.end()) {
            free->second -= as_signed(bytes);
        }
    }
    if (places_) {
        --*places_;
    }
}

void Ledger::give(const Footprint& footprint) {
    for (const auto& [device, bytes] : footprint) {
        if (const auto free = free_.find(device); free != free_.end()) {
            free->second += as_signed(bytes);
        }
    }
    if (places_) {
        ++*places_;
    }
}

std::optional<Footprint> first_that_fits(const std::vector<Footprint>& placements,
                                         const Ledger& ledger) {
    const auto found = std::ranges::find_if(
        placements, [&ledger](const Footprint& placement) { return ledger.fits(placement); });
    return found == placements.end() ? std::nullopt : std::optional(*found);
}

}  // namespace routerd::scheduler
