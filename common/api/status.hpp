#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/api/instance.hpp"
#include "common/api/log.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

struct ModelCounts {
    std::uint64_t total = 0;
    std::uint64_t enabled = 0;
    std::uint64_t loaded = 0;
    std::uint64_t broken = 0;  ///< files
};

struct RequestCounts {
    std::uint64_t active = 0;
    std::uint64_t queued = 0;
    std::uint64_t total = 0;   ///< since the start
    std::uint64_t failed = 0;  ///< of them
};

/// The daemon as a whole: `routerctl status`.
struct Status {
    std::string state;  ///< running, degraded (see `problems`), stopping
    std::string version;
    std::int64_t pid = 0;
    WallTime started;
    std::chrono::milliseconds uptime_ms{0};
    std::vector<std::string> config_files;
    std::vector<std::string> listen;  ///< "http://127.0.0.1:8080", "unix:///run/…"
    std::string state_dir;
    std::string llama_server;               ///< the program that would be run; empty: none
    std::uint64_t memory_bytes = 0;         ///< resident, the daemon alone
    std::uint64_t models_memory_bytes = 0;  ///< resident, all model servers
    std::uint64_t host_memory_bytes = 0;    ///< of the machine
    std::uint64_t host_memory_available_bytes = 0;
    std::optional<std::string> default_model;
    std::optional<std::string> active_profile;
    ModelCounts models;
    RequestCounts requests;
    std::vector<Instance> instances;
    std::vector<std::string> problems;  ///< what is wrong, one sentence each
    std::vector<LogLine> log;           ///< the last few lines of the daemon's log
};

/// One thing that `routerctl doctor` looked at.
struct Check {
    std::string name;    ///< "llama-server", "state directory"
    std::string status;  ///< ok, warning, failed
    std::string message;
    std::string hint;  ///< what to do; empty when nothing is to be done
};

using CheckList = List<Check>;

}  // namespace routerd::api
