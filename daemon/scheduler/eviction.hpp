#pragma once

#include <functional>
#include <optional>
#include <string>
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

/// A server that might go.
struct Option {
    const Resident* resident = nullptr;
    double cost = 0;  ///< see cost_of()
};

/// The cheapest first.
using Options = std::vector<Option>;

/// What it is expected to cost to have ended this server: the time that its model takes to load,
/// as measured (guessed by its size before that), times the chance that it is asked for again;
/// shared with its model's other servers.
double cost_of(const Resident& resident, const World& world, TimePoint now);

/// All servers that are ready and not pinned.
Options options_of(const World& world, TimePoint now);

/// The cheapest way to make one of the model's placements fit into `ledger` by ending servers of
/// `options` that `may_go`; nullopt when all of them together do not suffice. Looks at the cheapest
/// single server, the cheapest first and those first that free most for their cost: the best of the
/// three, not of all subsets.
std::optional<Eviction> cheapest_eviction(const World& world, const Ledger& ledger,
                                          const std::string& model, const Options& options,
                                          const std::function<bool(const Resident&)>& may_go);

/// The placement of the model that will be free first, when each server can go at the time that
/// `free_at` tells of it (nullopt: never); nullopt when none ever will.
std::optional<Footprint> first_to_be_free(
    const World& world, const Ledger& ledger, const std::string& model,
    const std::function<std::optional<TimePoint>(const Resident&)>& free_at);

/// The first of `options` that `may_go` and gives back some of what lacks; nullptr: none.
const Resident* first_to_give(const Options& options, const Ledger::Lack& lack,
                              const std::function<bool(const Resident&)>& may_go);

}  // namespace routerd::scheduler
