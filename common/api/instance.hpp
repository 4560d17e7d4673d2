#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// A model's running server: one row of `routerctl ps`.
struct Instance {
    std::uint64_t id = 0;
    std::string model;  ///< id
    std::string state;  ///< off, starting, loading, ready, draining, stopping, crashed, failed
    unsigned slots = 0;
    unsigned busy = 0;                        ///< slots in use
    std::uint64_t queue = 0;                  ///< requests that wait for the model
    std::uint64_t memory_bytes = 0;           ///< resident on the host, and reserved on GPUs
    std::string device;                       ///< "host", "cuda0", "cuda0,cuda1"
    std::uint64_t context = 0;                ///< tokens of a slot; 0: not known yet
    std::optional<double> tokens_per_second;  ///< of the last answers
    std::optional<WallTime> until;            ///< unloaded then when it stays idle; null: never
    bool pinned = false;
    std::optional<std::int64_t> pid;
    std::optional<std::uint16_t> port;  ///< null on a Unix socket: `address` says where
    std::string address;                ///< "unix:/run/…/x.sock" or "127.0.0.1:9001"
    std::optional<WallTime> started;
    std::optional<std::chrono::milliseconds> load_ms;  ///< start to ready
    std::optional<unsigned> progress_percent;          ///< of a load, where the server says so
    bool adopted = false;                              ///< started by a daemon before this one
    std::string last_error;            ///< why the last server of this model ended by itself
    std::optional<WallTime> retry_at;  ///< failed: when a request may start it again
};

using InstanceList = List<Instance>;

/// What `load` and `restart` answer: the instance is null while it is only on its way.
struct LoadResult {
    std::string model;
    std::string state;
    bool already_loaded = false;
    std::chrono::milliseconds ms{0};  ///< that the call took
    std::optional<Instance> instance;
};

/// What `unload` answers: the models that were loaded and are not any more.
struct UnloadResult {
    std::vector<std::string> models;
};

}  // namespace routerd::api
