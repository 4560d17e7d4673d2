#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/devices/device.hpp"
#include "daemon/estimate/estimate.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/scheduler/priority.hpp"
#include "daemon/supervisor/instance_view.hpp"

namespace routerd {

/// One device and who has it: what `routerctl memory` shows. Bytes.
struct DeviceReport {
    /// A server of ours on it.
    struct Holder {
        std::uint64_t instance = 0;
        std::string model;
        InstanceState state = InstanceState::off;
        std::uint64_t reserved = 0;  ///< what the ledger holds for it here
    };
    Device device;
    std::uint64_t total = 0;
    std::uint64_t usable = 0;    ///< by models: total or budget, less the reserve
    std::uint64_t foreign = 0;   ///< of it, what processes of others use
    std::uint64_t reserved = 0;  ///< of it, held by the servers in `holders`
    std::uint64_t free = 0;      ///< what another model may still have
    std::vector<Holder> holders;
    std::string error;  ///< why it could not be read last; the figures are those before
};

/// One request that waits: what `routerctl queue` shows.
struct WaitingReport {
    std::uint64_t ticket = 0;
    std::string request_id;  ///< empty: a load that a person or the daemon asked for
    std::string model;
    std::string key;  ///< name of the key that it came with; empty: none
    Priority priority = Priority::normal;
    WallTime since;
    std::optional<WallTime> deadline;
    Ticket::Progress progress;
    std::string reason;  ///< what it waits for, in words
};

/// What one load would need and do: what `routerctl estimate` shows. Bytes.
struct EstimateReport {
    struct Row {
        std::string device;
        DeviceBytes bytes;         ///< its parts
        std::uint64_t needed = 0;  ///< what is reserved: the parts' sum, with the safety factor
        std::uint64_t free = 0;    ///< now, without evicting anything
        std::uint64_t usable = 0;  ///< on the empty machine
    };
    struct Eviction {
        std::uint64_t instance = 0;
        std::string model;
        std::string reason;
    };
    enum class Verdict {
        loaded,         ///< it runs already
        fits,           ///< beside what runs now
        evicts,         ///< after the evictions listed
        waits,          ///< not now: what is in the way is busy or may not go yet
        would_not_fit,  ///< never on this machine as configured
        unknown,        ///< nothing is known of what this kind of server needs
    };
    std::string model;
    std::vector<Row> devices;
    std::uint64_t context_per_slot = 0;  ///< tokens
    unsigned slots = 1;
    std::uint64_t gpu_layers = 0;
    bool learned = false;  ///< corrected by what a load was seen to take
    Growth growth;         ///< that requests may add later, host memory
    Verdict verdict = Verdict::unknown;
    std::string reason;  ///< of the verdict, in words
    std::vector<Eviction> evictions;
};

/// The words of the HTTP contract: "loaded", "fits", "evicts", "waits", "would_not_fit", "unknown".
std::string_view to_string(EstimateReport::Verdict verdict) noexcept;

/// Other parameters than those configured, for an estimate; absent: as configured.
struct EstimateOptions {
    std::optional<unsigned> context;
    std::optional<unsigned> parallel;
    std::optional<std::string> cache_type;  ///< of keys and values
};

/// One decision about a model or a request: what `routerctl why` shows.
struct Decision {
    std::uint64_t number = 0;  ///< rises by one over all decisions
    WallTime time;
    std::string what;     ///< "request.waits", "request.granted", "instance.starting", …
    std::string model;    ///< whom it concerns
    std::string request;  ///< id, where it is about one request
    std::string message;  ///< one sentence for people
    std::vector<std::pair<std::string, std::string>> details;  ///< the reason's figures, by name
};

/// Requests of one model, for `/v1/queue/stats`. Since the daemon's start where it says so.
struct QueueTotals {
    std::size_t queued = 0;       ///< now
    std::size_t processing = 0;   ///< now
    std::uint64_t processed = 0;  ///< granted and given back, since the start
    std::uint64_t rejected = 0;   ///< refused, since the start
};

/// How one model's servers have been lately, for `/v1/health/models`.
struct HealthReport {
    std::string model;
    InstanceState state = InstanceState::off;
    double uptime_percent = 0;  ///< of the time in which it was wanted; down is after a failure
    unsigned consecutive_failures = 0;  ///< liveness probes, or starts, that failed in a row
    std::optional<std::chrono::microseconds> response_time;  ///< mean of the last liveness probes
    std::optional<WallTime> last_check;                      ///< of the last liveness probe
};

}  // namespace routerd
