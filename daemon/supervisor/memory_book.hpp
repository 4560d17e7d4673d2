#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/backends/backend.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/devices/device_reader.hpp"
#include "daemon/estimate/estimate.hpp"
#include "daemon/estimate/launch.hpp"
#include "daemon/estimate/learn.hpp"
#include "daemon/scheduler/ledger.hpp"
#include "daemon/supervisor/placement_search.hpp"

namespace routerd {

/// One device as the last look at it saw it. Bytes.
struct DeviceState {
    Device device;
    std::uint64_t total = 0;
    std::uint64_t usable = 0;   ///< by models: total or budget, less the reserve
    std::uint64_t foreign = 0;  ///< of that, what processes of others use
    std::string error;          ///< why it could not be read last; the figures are those before
};

/// What one load taught, under the name of what it holds for.
struct Lesson {
    std::string fingerprint;  ///< of the model, its parameters and where it was put
    std::string model;        ///< fingerprint of the model alone
    Correction correction;    ///< GPUs by their place in the plan ("cuda:0"), not by number
};

/// What the devices have and what models need of them, in the figures of the scheduler's ledger.
/// A value that is told things; core loop.
class MemoryBook {
  public:
    explicit MemoryBook(MemoryConfig config) : config_(std::move(config)) {}

    void apply(MemoryConfig config) { config_ = std::move(config); }

    /// What the devices said. `ours`: bytes that our servers hold, by device; of the host what they
    /// hold for themselves (anonymous and shared; pages of model files count as free). True when
    /// what models may use in all is another than before.
    bool note(const DeviceReadings& readings, const std::map<std::string, std::uint64_t>& ours);

    /// What GPUs the server program at this path can use. Before that is known it is taken to use
    /// all there are. True when that is another than before.
    bool note_program(const std::string& path, const GpuSupport& support);

    /// Per device: what models may use, and what other processes take of that. A device whose
    /// reading failed keeps its last figures.
    std::map<std::string, scheduler::Budget> budgets() const;

    /// Every device, the host first; empty before the first look.
    std::vector<DeviceState> devices() const;
    bool has_gpus() const { return devices_.size() > 1; }

    /// The ways to run a server started so, the best first (PlacementSearch): with what a load of
    /// it was seen to take, else what one of the same model was, in proportion, else the estimate
    /// times the safety factor. When nothing fits the empty
    /// machine it is one way that does not. Empty: nothing is known (the machine was not looked at
    /// yet, or the user's arguments place the model in a way that cannot be foretold).
    std::vector<MemoryOption> options(const Model& model, const LaunchParameters& launch) const;

    /// The way that a server with this plan runs, also where it is none that would be chosen now;
    /// the best where its program cannot use those GPUs. nullopt: options() is empty.
    std::optional<MemoryOption> option_at(const Model& model, const LaunchParameters& launch,
                                          const DevicePlan& where) const;

    /// Whether it fits the empty machine, as it is configured, without leaving GPUs that it may use
    /// for want of room there. True where nothing is known.
    bool fits_well(const Model& model, const LaunchParameters& launch) const;

    /// The largest context (tokens of a slot) with which the model fits so, the whole context that
    /// it was trained for being too large: a multiple of 256 and at least 4096, the least that
    /// llama-server's own --fit goes down to. That least, too, where it fits only partly on GPUs.
    /// nullopt: not even that fits. `with` makes the parameters of a launch with that context.
    std::optional<unsigned> fitting_context(
        const Model& model, const std::function<LaunchParameters(unsigned)>& with) const;

    /// The devices that its settings name are there. Errors: load_failed, with those that are.
    Result<void> check_devices(const Model& model) const;

    /// What a load with this plan was seen to take; from now on it counts. The lesson is for
    /// keeping.
    Lesson learn(const Model& model, const LaunchParameters& launch, const DevicePlan& where,
                 const Observed& observed);

    /// A lesson of an earlier daemon; the oldest come first.
    void recall(Lesson lesson);

  private:
    struct Known {
        Device device;
        std::uint64_t total = 0;    ///< 0: it was never read
        std::uint64_t foreign = 0;  ///< used by what is not ours, of the total
        std::string error;
    };
    /// A model and a launch of it, with what lies beside the model's own file.
    struct Subject {
        const Model& model;
        LaunchParameters launch;
        /// A context is chosen by this. It may shrink by what was learned, and does not grow: a
        /// server would be restarted for the lesson that its own load taught.
        bool decides_context = false;
    };

    const Known* find(std::string_view id) const;
    void take_reading(const DeviceReading& reading, std::uint64_t ours);
    std::uint64_t unreserved(const Known& known) const;
    std::uint64_t usable(const Known& known) const;
    std::map<std::string, std::uint64_t> usable() const;

    PlacementSearch::Machine machine_for(const LaunchParameters& launch) const;
    std::optional<PlacementSearch> search(const Subject& subject) const;
    std::vector<MemoryOption> only_way(const Subject& subject) const;
    std::optional<Subject> subject_of(const Model& model, const LaunchParameters& launch) const;
    bool may_use_others(const LaunchParameters& launch) const;
    MemoryOption weigh(const Subject& subject, const DevicePlan& where) const;
    bool correct(MemoryOption& option, const Subject& subject, const LaunchParameters& at) const;

    MemoryConfig config_;
    std::vector<Known> devices_;
    std::map<std::string, GpuSupport> programs_;     ///< by path
    std::map<std::string, Correction> corrections_;  ///< by fingerprint of model and launch
    std::map<std::string, Correction> by_model_;     ///< the last one of each model
};

}  // namespace routerd
