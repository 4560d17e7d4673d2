#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/api/instance.hpp"

namespace routerd::api {

/// Body of POST switch. The answer is a SwitchPlan for a dry run, a SwitchResult (202) without
/// waiting, else a stream of events: `stage` (SwitchStage), at the end `done` (SwitchResult) or
/// `error` (ErrorBody).
struct SwitchRequest {
    std::string model;       ///< id or alias
    bool exclusive = false;  ///< unload everything else that is not pinned
    bool dry_run = false;
    bool wait = true;
};

/// One stage of a switch. It is sent when the stage begins, without `ms`, and when it is over.
struct SwitchStage {
    std::string name;   ///< resolve, persist, drain, unload, load, ready
    std::string model;  ///< the one it is about: for drain and unload a model that makes room
    std::optional<std::chrono::milliseconds> ms;  ///< how long it took; null while it goes on
    std::string message;                          ///< one line for people
};

struct SwitchResult {
    std::string model;                    ///< id, now the default
    std::optional<std::string> previous;  ///< the default before, if there was one
    std::string state;                    ///< of the model
    std::vector<std::string> evicted;     ///< models that were unloaded for it
    std::chrono::milliseconds total_ms{0};
    std::optional<Instance> instance;
};

/// A server that a switch would stop.
struct Eviction {
    std::uint64_t instance = 0;
    std::string model;
    unsigned busy = 0;  ///< requests it would finish first
    std::uint64_t memory_bytes = 0;
    std::string reason;
};

/// What a switch would do.
struct SwitchPlan {
    std::string model;
    std::string state;  ///< of the model now
    bool load = true;   ///< false: it is loaded already
    std::vector<Eviction> evict;
    std::string note;  ///< what it would wait for, or why it would be refused; empty: nothing
};

}  // namespace routerd::api
