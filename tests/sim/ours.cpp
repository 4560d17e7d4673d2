#include "tests/sim/policy.hpp"

namespace routerd::sim {
namespace {

class Ours : public Policy {
  public:
    explicit Ours(const Site& site) : scheduler_(rules()) {
        scheduler_.set_models(site.models, TimePoint());
        scheduler_.set_budgets(site.devices, TimePoint());
    }

    scheduler::Actions on_request(const scheduler::Ask& ask, TimePoint now) override {
        return scheduler_.on_request(ask, now);
    }
    scheduler::Actions on_release(scheduler::TicketId ticket, TimePoint now) override {
        return scheduler_.on_release(ticket, now);
    }
    scheduler::Actions on_ready(scheduler::InstanceId instance, TimePoint now) override {
        return scheduler_.on_ready(instance, now);
    }
    scheduler::Actions on_exited(scheduler::InstanceId instance, bool /*crashed*/,
                                 TimePoint now) override {
        return scheduler_.on_exited(instance, {"simulated", 0.5}, now);
    }
    scheduler::Actions on_time(TimePoint now) override { return scheduler_.on_time(now); }

  private:
    static scheduler::Rules rules() {
        scheduler::Rules rules;  // the configuration's defaults
        rules.queue_size = 1000000;
        return rules;
    }

    scheduler::Scheduler scheduler_;
};

}  // namespace

std::unique_ptr<Policy> ours(const Site& site) {
    return std::make_unique<Ours>(site);
}

}  // namespace routerd::sim
