#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "daemon/scheduler/ledger.hpp"
#include "daemon/scheduler/world.hpp"

namespace routerd::scheduler {

/// Servers that go, so that one of the model's placements fits.
struct Eviction {
    Footprint placement;
    std::vector<InstanceId> victims;  ///< at least one; each of them is needed
    double cost = 0;                  ///< milliseconds of loading that are expected to come of it
};

/// What it is expected to cost to have ended this server: the time that its model takes to load,
/// as measured, times the chance that it is asked for again.
double cost_of(const Resident& resident, const World& world, TimePoint now);

/// The cheapest way to make one of `placements` fit into `ledger` by ending servers that `may_go`;
/// nullopt when all of them together do not suffice. Looks at the cheapest single server, the
/// cheapest first and those first that free most for their cost: the best of the three, not of all
/// subsets.
std::optional<Eviction> cheapest_eviction(const World& world, const Ledger& ledger,
                                          const std::vector<Footprint>& placements,
                                          const std::function<bool(const Resident&)>& may_go,
                                          TimePoint now);

}  // namespace routerd::scheduler
