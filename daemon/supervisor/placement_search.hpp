#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/estimate/estimate.hpp"
#include "daemon/estimate/launch.hpp"
#include "daemon/scheduler/ledger.hpp"

namespace routerd {

/// One way to run a model: what it takes and what its server is told for it.
struct MemoryOption {
    scheduler::Footprint footprint;  ///< bytes to reserve, by device
    Estimate estimate;               ///< its parts, corrected by what loads taught
    bool learned = false;            ///< a load of just this was seen
    DevicePlan where;
};

/// Finds the ways to run one model on a machine with GPUs, the best first:
///   1. on one GPU, each by its number;
///   2. split over several GPUs of one kind, fewer before more;
///   3. only when neither fits the empty machine: as many layers on GPUs as fit, the others on the
///      host;
///   4. only when that does not fit either: on the host.
/// The list is made for the empty machine and does not change with what runs: the scheduler takes
/// the first that fits what is free, or knows for which it must make room. Were layers moved to the
/// host, or to more GPUs, as a GPU fills up, a model would stay slow long after its neighbour left.
/// A split gives each GPU a part in proportion to what models may use of it in all, as the split is
/// part of what its figures are learned for. Pure; made for one question.
class PlacementSearch {
  public:
    struct Machine {
        std::map<std::string, std::uint64_t> usable;  ///< bytes by device; one not named is endless
        std::vector<DevicePlan::Gpu> gpus;  ///< that may be used, in order; `share` in proportion
        std::set<DeviceKind> kinds;         ///< DevicePlan::kinds
    };
    struct Limits {
        std::optional<std::uint64_t> gpu_layers;  ///< exactly so many; absent: as good as it goes
        bool may_leave_gpus = true;               ///< for the host, when nothing else fits
    };
    using Weigh = std::function<MemoryOption(const DevicePlan&)>;

    PlacementSearch(Machine machine, Limits limits, Weigh weigh);

    /// Never empty: when nothing fits, the way that comes closest to what was asked for.
    std::vector<MemoryOption> all() const;

    /// Whether one of the first two kinds fits the empty machine.
    bool fits_whole() const { return !whole(1).empty(); }

  private:
    std::vector<MemoryOption> whole(std::size_t most) const;
    void add_splits(std::vector<MemoryOption>& ways, std::size_t most) const;
    std::vector<MemoryOption> partial() const;
    std::optional<MemoryOption> most_layers(const std::vector<DevicePlan::Gpu>& gpus) const;
    std::vector<std::vector<DevicePlan::Gpu>> splits() const;
    MemoryOption weighed(const std::vector<DevicePlan::Gpu>& gpus,
                         std::optional<std::uint64_t> layers) const;
    bool may_fit(const std::vector<DevicePlan::Gpu>& gpus, std::uint64_t need) const;
    bool fits(const MemoryOption& way) const;
    bool fits_gpus(const MemoryOption& way) const;

    Machine machine_;
    Limits limits_;
    Weigh weigh_;
};

/// Whether each device has as much as the footprint wants of it.
bool fits_within(const scheduler::Footprint& footprint,
                 const std::map<std::string, std::uint64_t>& usable);

}  // namespace routerd
