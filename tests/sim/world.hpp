#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/policy.hpp"

namespace routerd::sim {

/// A model as the machine runs it.
struct SimModel {
    std::string name;
    std::uint64_t bytes = 0;
    unsigned slots = 1;
    std::chrono::milliseconds load_time{0};
    double weight = 0;  ///< how often it is asked for, among the others
};

/// Three devices and thirty models, the same in every run.
struct Setting {
    std::vector<SimModel> models;
    Site site;
};
Setting usual_setting();

struct Workload {
    std::uint64_t requests = 1000000;
    double rate = 0.5;  ///< requests a second, on the average, besides those of agents
    unsigned agents = 8;
    unsigned clients = 20;
    std::vector<std::size_t> hammered{};  ///< models that four clients each ask without a pause
    double crashes = 1e-5;                ///< chance that a request kills its server
    unsigned seed = 1;
};

/// What came of one run.
struct Outcome {
    std::vector<float> waits;         ///< seconds from request to grant, of all requests
    std::vector<float> urgent_waits;  ///< of those with high priority
    double swap_seconds = 0;          ///< spent loading, all devices together
    std::uint64_t loads = 0;
    std::uint64_t hits = 0;  ///< granted without a load of theirs
    std::uint64_t refused = 0;
    std::uint64_t starving = 0;    ///< waited for more than ten minutes, the last ones still do
    std::vector<double> slowdown;  ///< by client: mean of (wait + service) / service
    double wall_seconds = 0;       ///< that the simulation itself took
};

/// Requests at random and agents that hold conversations, with bursts.
Workload mixed_workload();

/// A trickle of requests beside clients that push without a pause, on as many large models as the
/// devices can hold.
Workload hammered_workload();

/// Plays the workload on the machine, with `policy` deciding. The same seed gives the same requests
/// to every policy.
Outcome play(Policy& policy, const Setting& setting, const Workload& workload);

}  // namespace routerd::sim
