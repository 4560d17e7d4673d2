#include "tests/sim/world.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/base/units.hpp"

namespace routerd::sim {
namespace {

using scheduler::InstanceId;
using scheduler::TicketId;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

TimePoint::duration seconds(double value) {
    return duration_cast<TimePoint::duration>(std::chrono::duration<double>(value));
}

double in_seconds(TimePoint::duration value) {
    return std::chrono::duration<double>(value).count();
}

struct Request {
    std::size_t model = 0;
    unsigned client = 0;
    int agent = -1;  ///< whose conversation it belongs to
    bool hammers = false;
    bool is_urgent = false;
    TimePoint since;
    double service = 1;
    bool crashes = false;
    bool was_loaded = false;  ///< when it came
    InstanceId instance = 0;
};

constexpr auto too_long = std::chrono::minutes(10);

struct Agent {
    std::size_t model = 0;
    unsigned turns_left = 0;
};

enum class Kind { arrival, agent_turn, hammer, done, ready, stopped, wake };

struct Event {
    TimePoint at;
    std::uint64_t order = 0;
    Kind kind = Kind::arrival;
    std::uint64_t subject = 0;

    bool operator>(const Event& other) const {
        return at != other.at ? at > other.at : order > other.order;
    }
};

class Play {
  public:
    Play(Policy& policy, const Setting& setting, const Workload& workload)
        : policy_(policy), setting_(setting), workload_(workload), random_(workload.seed) {
        std::vector<double> weights;
        for (const auto& model : setting.models) {
            numbers_[model.name] = weights.size();
            weights.push_back(model.weight);
        }
        pick_model_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
        outcome_.waits.reserve(workload.requests);
        slow_.resize(workload.clients + workload.agents + workload.hammered.size());
        agents_.resize(workload.agents);
    }

    Outcome run() {
        const auto begin = std::chrono::steady_clock::now();
        push(now_, Kind::arrival, 0);
        for (std::uint64_t i = 0; i < agents_.size(); ++i) {
            push(now_ + seconds(1 + static_cast<double>(i)), Kind::agent_turn, i);
        }
        for (std::uint64_t i = 0; i < workload_.hammered.size(); ++i) {
            for (int client = 0; client < 4; ++client) {
                push(now_, Kind::hammer, i);
            }
        }
        while (!events_.empty() && settled_ < workload_.requests) {
            const auto event = events_.top();
            events_.pop();
            now_ = event.at;
            handle(event);
        }
        for (const auto& [ticket, request] : requests_) {
            const bool waits = request.instance == 0;
            outcome_.starving += waits && now_ - request.since > too_long ? 1U : 0U;
        }
        for (const auto& [sum, count] : slow_) {
            if (count > 0) {
                outcome_.slowdown.push_back(sum / static_cast<double>(count));
            }
        }
        outcome_.wall_seconds = in_seconds(std::chrono::steady_clock::now() - begin);
        return std::move(outcome_);
    }

  private:
    double uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    double exponential(double mean) {
        return std::exponential_distribution<double>(1 / mean)(random_);
    }

    void push(TimePoint at, Kind kind, std::uint64_t subject) {
        events_.push({at, ++order_, kind, subject});
    }

    void handle(const Event& event) {
        switch (event.kind) {
            case Kind::arrival:
                return arrive();
            case Kind::agent_turn:
                return take_turn(event.subject);
            case Kind::hammer:
                return hammer(event.subject);
            case Kind::done:
                return finish(event.subject);
            case Kind::ready:
                return become_ready(event.subject);
            case Kind::stopped:
                return carry_out(policy_.on_exited(event.subject, false, now_));
            case Kind::wake:
                if (event.order == wake_order_) {
                    carry_out(policy_.on_time(now_));
                }
                return;
        }
    }

    /// Every ten minutes a burst of twenty seconds, eight times as dense.
    void arrive() {
        Request request;
        request.model = pick_model_(random_);
        request.client = static_cast<unsigned>(uniform() * workload_.clients);
        submit(request);
        const auto phase = std::fmod(in_seconds(now_.time_since_epoch()), 600);
        const auto rate = workload_.rate * (phase < 20 ? 8 : 1);
        push(now_ + seconds(exponential(1 / rate)), Kind::arrival, 0);
    }

    void take_turn(std::uint64_t number) {
        auto& agent = agents_[number];
        if (agent.turns_left == 0) {
            agent.model = pick_model_(random_);
            agent.turns_left = 5 + static_cast<unsigned>(uniform() * 30);
        }
        --agent.turns_left;
        Request request;
        request.model = agent.model;
        request.agent = static_cast<int>(number);
        request.client = workload_.clients + static_cast<unsigned>(number);
        submit(request);
    }

    void hammer(std::uint64_t number) {
        Request request;
        request.model = workload_.hammered[number];
        request.client = workload_.clients + workload_.agents + static_cast<unsigned>(number);
        request.hammers = true;
        submit(request);
    }

    void submit(Request request) {
        request.since = now_;
        request.service = 0.2 + exponential(0.8);
        request.crashes = uniform() < workload_.crashes;
        scheduler::Ask ask;
        ask.ticket = ++last_ticket_;
        ask.model = setting_.models[request.model].name;
        const auto draw = uniform();
        ask.priority = draw < 0.1 ? Priority::high : draw < 0.3 ? Priority::low : Priority::normal;
        request.is_urgent = ask.priority == Priority::high;
        request.was_loaded = loaded_.contains(request.model);
        requests_[ask.ticket] = request;
        carry_out(policy_.on_request(ask, now_));
    }

    void finish(TicketId ticket) {
        const auto request = requests_.at(ticket);
        requests_.erase(ticket);
        if (request.agent >= 0) {
            push(now_ + seconds(0.5 + exponential(2)), Kind::agent_turn,
                 static_cast<std::uint64_t>(request.agent));
        }
        if (request.hammers) {
            push(now_, Kind::hammer, request.client - workload_.clients - workload_.agents);
        }
        if (request.crashes && alive_.contains(request.instance)) {
            end(request.instance);
            carry_out(policy_.on_exited(request.instance, true, now_));
        }
        carry_out(policy_.on_release(ticket, now_));
    }

    void become_ready(InstanceId instance) {
        if (alive_.contains(instance)) {
            loaded_.insert(numbers_.at(alive_.at(instance)));
            carry_out(policy_.on_ready(instance, now_));
        }
    }

    void end(InstanceId instance) {
        loaded_.erase(numbers_.at(alive_.at(instance)));
        alive_.erase(instance);
    }

    void carry_out(const scheduler::Actions& actions) {
        for (const auto& action : actions) {
            if (const auto* start = std::get_if<scheduler::Start>(&action)) {
                const auto& model = setting_.models[numbers_.at(start->model)];
                alive_[start->instance] = start->model;
                ++outcome_.loads;
                outcome_.swap_seconds += in_seconds(model.load_time);
                push(now_ + model.load_time, Kind::ready, start->instance);
            } else if (const auto* stop = std::get_if<scheduler::Stop>(&action)) {
                end(stop->instance);
                push(now_ + milliseconds(300), Kind::stopped, stop->instance);
            } else if (const auto* grant = std::get_if<scheduler::Grant>(&action)) {
                grant_to(grant->ticket, grant->instance);
            } else if (const auto* refuse = std::get_if<scheduler::Refuse>(&action)) {
                lose(refuse->ticket);
            } else if (const auto* wake = std::get_if<scheduler::Wake>(&action)) {
                wake_order_ = order_ + 1;
                if (wake->at != TimePoint::max()) {
                    push(std::max(wake->at, now_), Kind::wake, 0);
                }
            }
        }
    }

    void grant_to(TicketId ticket, InstanceId instance) {
        auto& request = requests_.at(ticket);
        request.instance = instance;
        const auto wait = in_seconds(now_ - request.since);
        outcome_.waits.push_back(static_cast<float>(wait));
        if (request.is_urgent) {
            outcome_.urgent_waits.push_back(static_cast<float>(wait));
        }
        outcome_.starving += now_ - request.since > too_long ? 1U : 0U;
        outcome_.hits += request.was_loaded ? 1U : 0U;
        auto& [sum, count] = slow_[request.client];
        sum += (wait + request.service) / request.service;
        ++count;
        ++settled_;
        push(now_ + seconds(request.service), Kind::done, ticket);
    }

    void lose(TicketId ticket) {
        const auto request = requests_.at(ticket);
        requests_.erase(ticket);
        ++outcome_.refused;
        ++settled_;
        if (request.agent >= 0) {
            push(now_ + seconds(2), Kind::agent_turn, static_cast<std::uint64_t>(request.agent));
        }
        if (request.hammers) {
            push(now_ + seconds(2), Kind::hammer,
                 request.client - workload_.clients - workload_.agents);
        }
    }

    Policy& policy_;
    const Setting& setting_;
    Workload workload_;
    std::mt19937_64 random_;
    std::discrete_distribution<std::size_t> pick_model_;
    std::map<std::string, std::size_t> numbers_;
    TimePoint now_ = TimePoint(std::chrono::hours(1));
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t order_ = 0;
    std::uint64_t wake_order_ = 0;
    TicketId last_ticket_ = 0;
    std::uint64_t settled_ = 0;
    std::unordered_map<TicketId, Request> requests_;
    std::map<InstanceId, std::string> alive_;
    std::set<std::size_t> loaded_;
    std::vector<Agent> agents_;
    std::vector<std::pair<double, std::uint64_t>> slow_;
    Outcome outcome_;
};

}  // namespace

Setting usual_setting() {
    constexpr unsigned model_count = 30;
    constexpr std::uint64_t read_speed = 2 * gib;  // bytes a second from disk to device
    Setting setting;
    setting.site.devices = {
        {"cuda0", {48 * gib, 0}}, {"cuda1", {24 * gib, 0}}, {"cuda2", {24 * gib, 0}}};
    for (unsigned i = 0; i < model_count; ++i) {
        SimModel model;
        model.name = "model-" + std::to_string(i);
        model.bytes = (2 + (i * 7) % 19) * gib;  // 2 to 20 GiB, in no order of popularity
        model.slots = 1 + i % 4;
        model.load_time = milliseconds(500 + 1000 * model.bytes / read_speed);
        model.weight = 1 / std::pow(i + 1, 1.1);  // Zipf
        auto& rules = setting.site.models[model.name];
        rules.slots = model.slots;
        rules.fingerprint = "1";
        for (const auto& [device, budget] : setting.site.devices) {
            rules.placements.push_back({{device, model.bytes}});
        }
        setting.models.push_back(std::move(model));
    }
    return setting;
}

Workload mixed_workload() {
    return {};
}

Workload hammered_workload() {
    Workload workload;
    workload.rate = 0.05;
    workload.agents = 0;
    workload.hammered = {5, 8, 16, 27};  // of 18 to 20 GiB: two on the large device, one on each
    return workload;
}

Outcome play(Policy& policy, const Setting& setting, const Workload& workload) {
    return Play(policy, setting, workload).run();
}

}  // namespace routerd::sim
