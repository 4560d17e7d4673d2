// The rules of other routers, as far as they decide who is served and what is loaded.
#include <algorithm>
#include <deque>
#include <map>

#include "daemon/scheduler/ledger.hpp"
#include "tests/sim/policy.hpp"

namespace routerd::sim {
namespace {

using scheduler::Actions;
using scheduler::Footprint;
using scheduler::InstanceId;
using scheduler::TicketId;

struct Server {
    std::string model;
    Footprint held;
    unsigned slots = 1;
    unsigned busy = 0;
    bool ready = false;
    bool closed = false;  ///< gets nothing more
    bool stopping = false;
    TimePoint last_used;
};

class ByRule : public Policy {
  public:
    ByRule(Rule rule, Site site, unsigned max_loaded)
        : rule_(rule), site_(std::move(site)), max_loaded_(max_loaded) {}

    Actions on_request(const scheduler::Ask& ask, TimePoint now) override {
        // One line for all, or one for each model.
        lines_[rule_ == Rule::single_queue ? std::string() : ask.model].push_back(
            {ask.ticket, ask.model, now});
        return settled(now);
    }

    Actions on_release(TicketId ticket, TimePoint now) override {
        const auto found = running_.find(ticket);
        if (found == running_.end()) {
            return {};
        }
        const auto server = servers_.find(found->second);
        if (server != servers_.end()) {
            --server->second.busy;
            server->second.last_used = now;
        }
        running_.erase(found);
        return settled(now);
    }

    Actions on_ready(InstanceId instance, TimePoint now) override {
        servers_.at(instance).ready = true;
        servers_.at(instance).last_used = now;
        return settled(now);
    }

    Actions on_exited(InstanceId instance, bool /*crashed*/, TimePoint now) override {
        servers_.erase(instance);
        return settled(now);
    }

    Actions on_time(TimePoint now) override { return settled(now); }

  private:
    struct Waiter {
        TicketId ticket = 0;
        std::string model;
        TimePoint since;
    };

    Server* server_of(const std::string& model) {
        for (auto& [id, server] : servers_) {
            if (server.model == model && !server.stopping) {
                return &server;
            }
        }
        return nullptr;
    }

    std::uint64_t free_on(const std::string& device) const {
        auto left = site_.devices.at(device).usable;
        for (const auto& [id, server] : servers_) {
            const auto held = server.held.find(device);
            left -= held == server.held.end() ? 0 : held->second;
        }
        return left;
    }

    const Footprint* place_for(const std::string& model) const {
        if (servers_.size() >= max_loaded_) {
            return nullptr;
        }
        for (const auto& placement : site_.models.at(model).placements) {
            const bool fits = std::ranges::all_of(
                placement, [this](const auto& need) { return free_on(need.first) >= need.second; });
            if (fits) {
                return &placement;
            }
        }
        return nullptr;
    }

    bool is_wanted(const std::string& model) const {
        const auto line = lines_.find(model);
        return line != lines_.end() && !line->second.empty();
    }

    /// Ends the least recently used server that the rule lets go, or closes it until it is idle.
    void evict(Actions& actions) {
        const bool one_leaves = std::ranges::any_of(servers_, [](const auto& entry) {
            return entry.second.closed || entry.second.stopping;
        });
        if (one_leaves) {
            return;
        }
        Server* victim = nullptr;
        InstanceId victim_id = 0;
        for (auto& [id, server] : servers_) {
            const bool may_go = server.ready && (rule_ != Rule::resident_first ||
                                                 (server.busy == 0 && !is_wanted(server.model)));
            if (may_go && (victim == nullptr || server.last_used < victim->last_used)) {
                victim = &server;
                victim_id = id;
            }
        }
        if (victim != nullptr) {
            victim->closed = true;
            stop_if_idle(victim_id, *victim, actions);
        }
    }

    void stop_if_idle(InstanceId id, Server& server, Actions& actions) {
        if (server.closed && !server.stopping && server.busy == 0) {
            server.stopping = true;
            actions.emplace_back(scheduler::Stop{id, server.model, {}});
        }
    }

    /// True when it was granted.
    bool serve(const Waiter& waiter, TimePoint now, Actions& actions) {
        auto* server = server_of(waiter.model);
        if (server == nullptr) {
            if (const auto* place = place_for(waiter.model)) {
                const auto id = next_++;
                Server fresh;
                fresh.model = waiter.model;
                fresh.held = *place;
                fresh.slots = site_.models.at(waiter.model).slots;
                servers_.emplace(id, fresh);
                actions.emplace_back(scheduler::Start{id, waiter.model, *place, {}});
            } else {
                evict(actions);
            }
            return false;
        }
        if (!server->ready || server->closed || server->busy >= server->slots) {
            return false;
        }
        ++server->busy;
        server->last_used = now;
        for (const auto& [id, candidate] : servers_) {
            if (&candidate == server) {
                running_[waiter.ticket] = id;
                actions.emplace_back(scheduler::Grant{waiter.ticket, id});
            }
        }
        return true;
    }

    Actions settled(TimePoint now) {
        Actions actions;
        for (auto& [id, server] : servers_) {
            stop_if_idle(id, server, actions);
        }
        std::vector<std::deque<Waiter>*> heads;
        for (auto& [model, line] : lines_) {
            if (!line.empty()) {
                heads.push_back(&line);
            }
        }
        std::ranges::sort(heads, {}, [](const auto* line) { return line->front().since; });
        for (auto* line : heads) {
            while (!line->empty() && serve(line->front(), now, actions)) {
                line->pop_front();
            }
        }
        return actions;
    }

    Rule rule_;
    Site site_;
    unsigned max_loaded_;
    std::map<std::string, std::deque<Waiter>> lines_;
    std::map<InstanceId, Server> servers_;
    std::map<TicketId, InstanceId> running_;
    InstanceId next_ = 1;
};

}  // namespace

std::unique_ptr<Policy> by_rule(Rule rule, const Site& site, unsigned max_loaded) {
    return std::make_unique<ByRule>(rule, site, max_loaded);
}

}  // namespace routerd::sim
