// What one event costs the scheduler while 10,000 requests wait for 100 models, of which as many
// are loaded as fit: a request that comes, one that leaves, one that ends and lets the next one
// run.
//
// usage: scheduler_bench [--benchmark_min_time=2]
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/base/units.hpp"
#include "daemon/scheduler/scheduler.hpp"

namespace {

using namespace routerd;
using namespace routerd::scheduler;
using namespace std::chrono_literals;

constexpr unsigned model_count = 100;
constexpr unsigned waiting_count = 10000;

std::string name(unsigned number) {
    return "model-" + std::to_string(number);
}

/// A machine with room for a fifth of its models, all of them busy, and requests for all.
class Machine {
  public:
    Machine() : scheduler_(rules()) {
        std::map<std::string, ModelRules> models;
        for (unsigned i = 0; i < model_count; ++i) {
            auto& model = models[name(i)];
            model.slots = 4;
            model.fingerprint = "1";
            model.placements = {{{"cuda0", 4 * gib}}, {{"cuda1", 4 * gib}}};
        }
        scheduler_.set_models(std::move(models), now_);
        scheduler_.set_budgets({{"cuda0", {40 * gib, 0}}, {"cuda1", {40 * gib, 0}}}, now_);
        for (unsigned i = 0; i < waiting_count; ++i) {
            come(i % model_count);
        }
    }

    TicketId come(unsigned model) {
        Ask ask;
        ask.ticket = ++last_ticket_;
        ask.model = name(model);
        ask.priority = static_cast<Priority>(ask.ticket % 3);
        carry_out(scheduler_.on_request(ask, now_));
        return ask.ticket;
    }

    void leave(TicketId ticket) { carry_out(scheduler_.on_leave(ticket, now_)); }

    /// The request that has run longest ends, and one of the same model comes.
    void turn_over() {
        const auto [ticket, model] = *running_.begin();
        running_.erase(running_.begin());
        carry_out(scheduler_.on_release(ticket, now_));
        Ask ask;
        ask.ticket = ++last_ticket_;
        ask.model = model;
        carry_out(scheduler_.on_request(ask, now_));
    }

    void pass(std::chrono::microseconds time) { now_ += time; }

  private:
    static Rules rules() {
        Rules rules;
        rules.queue_size = waiting_count;
        rules.max_wait = 1h;
        return rules;
    }

    void carry_out(const Actions& actions) {
        for (const auto& action : actions) {
            if (const auto* start = std::get_if<Start>(&action)) {
                carry_out(scheduler_.on_ready(start->instance, now_));
            } else if (const auto* grant = std::get_if<Grant>(&action)) {
                running_[grant->ticket] = scheduler_.world().residents.at(grant->instance).model;
            }
        }
    }

    Scheduler scheduler_;
    TimePoint now_ = TimePoint(1000h);
    TicketId last_ticket_ = 0;
    std::map<TicketId, std::string> running_;
};

void request_comes_and_leaves(benchmark::State& state) {
    Machine machine;
    unsigned model = 0;
    for (auto _ : state) {
        machine.pass(100us);
        machine.leave(machine.come(++model % model_count));
    }
    state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(request_comes_and_leaves);

void request_ends_and_another_comes(benchmark::State& state) {
    Machine machine;
    for (auto _ : state) {
        machine.pass(100us);
        machine.turn_over();
    }
    state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(request_ends_and_another_comes);

}  // namespace

BENCHMARK_MAIN();
