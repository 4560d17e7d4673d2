#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/devices/device_reader.hpp"
#include "daemon/estimate/launch.hpp"
#include "daemon/estimate/learn.hpp"
#include "daemon/scheduler/ledger.hpp"

namespace routerd {

/// What the devices have and what models need of them, in the figures of the scheduler's ledger.
/// A value that is told things; core loop. Counts the host's bytes only: where there are GPUs, the
/// server itself decides what it puts on them, so nothing is said about models there that may use
/// them.
class MemoryBook {
  public:
    explicit MemoryBook(MemoryConfig config) : config_(std::move(config)) {}

    void apply(MemoryConfig config) { config_ = std::move(config); }

    /// What the devices said. `ours`: bytes of host memory that our servers hold for themselves
    /// (anonymous and shared; pages of model files count as free). True when what models may use in
    /// all is another than before.
    bool note(const DeviceReadings& readings, std::uint64_t ours);

    /// Per device: what models may use, and what other processes take of that. A device whose
    /// reading failed keeps its last figures.
    std::map<std::string, scheduler::Budget> budgets() const;

    /// Bytes of the host that a server started so will hold: as a load of it was seen to take, else
    /// the estimate times the safety factor. nullopt: nothing is known (a GPU may take part of it).
    std::optional<scheduler::Footprint> footprint(const Model& model,
                                                  const LaunchParameters& launch) const;

    /// On the empty machine, as it is configured.
    bool would_fit(const scheduler::Footprint& footprint) const;

    /// The largest context (tokens of a slot) with which the model fits on the empty machine, the
    /// whole context that it was trained for being too large: a multiple of 256 and at least 4096,
    /// the least that llama-server's own --fit goes down to. nullopt: not even that fits. `with`
    /// makes the parameters of a launch with that context.
    std::optional<unsigned> fitting_context(
        const Model& model, const std::function<LaunchParameters(unsigned)>& with) const;

    /// What the server's process had when it was ready.
    void learn(const Model& model, const LaunchParameters& launch, std::uint64_t resident);

  private:
    struct Host {
        std::uint64_t total = 0;
        std::uint64_t foreign = 0;
    };

    std::uint64_t unreserved() const;
    std::uint64_t usable() const;

    MemoryConfig config_;
    std::optional<Host> host_;
    bool has_gpus_ = false;
    std::map<std::string, Correction> corrections_;  // by fingerprint of model and launch
};

}  // namespace routerd
