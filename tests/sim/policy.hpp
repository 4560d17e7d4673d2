#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/scheduler/scheduler.hpp"

namespace routerd::sim {

/// Who decides, in the terms of the real decision core: events go in, actions come out.
class Policy {
  public:
    virtual ~Policy() = default;
    virtual scheduler::Actions on_request(const scheduler::Ask& ask, TimePoint now) = 0;
    virtual scheduler::Actions on_release(scheduler::TicketId ticket, TimePoint now) = 0;
    virtual scheduler::Actions on_ready(scheduler::InstanceId instance, TimePoint now) = 0;
    virtual scheduler::Actions on_exited(scheduler::InstanceId instance, bool crashed,
                                         TimePoint now) = 0;
    virtual scheduler::Actions on_time(TimePoint now) = 0;
};

/// The machine and its models, as a policy is told of them.
struct Site {
    std::map<std::string, scheduler::Budget> devices;
    std::map<std::string, scheduler::ModelRules> models;
};

/// The daemon's own scheduler.
std::unique_ptr<Policy> ours(const Site& site);

/// How others do it, each reduced to its rule.
enum class Rule {
    /// First come, first served; the least recently used of `max_loaded` models goes at once,
    /// as soon as what runs on it has ended.
    fifo,
    /// What asks for a loaded model is served; a model goes only when nobody wants it.
    resident_first,
    /// One queue: who is not at its head waits, whatever is loaded.
    single_queue,
};
std::unique_ptr<Policy> by_rule(Rule rule, const Site& site, unsigned max_loaded);

}  // namespace routerd::sim
