#include <map>
#include <optional>
#include <random>
#include <set>

#include "tests/unit/daemon/scheduler/world_fixture.hpp"

namespace routerd::scheduler {
namespace {

/// A machine that carries the actions out in its own time, with clients that come and leave, and
/// servers that fail. After each event the promises of the scheduler are checked.
class Simulation {
  public:
    explicit Simulation(unsigned seed) : random_(seed), scheduler_(random_rules()) {
        for (const auto* id : {"a", "b", "c", "d", "e"}) {
            auto& model = models_[id];
            model.slots = 1 + pick(4);
            model.instances = 1 + pick(3);
            model.pinned = pick(8) == 0;
            if (pick(3) == 0) {
                model.places.groups = {"apart"};
            }
            model.idle_unload = pick(2) == 0 ? 0ms : 1ms * pick(20000);
            model.fingerprint = "1";
            for (auto count = pick(4); count > 0; --count) {
                model.placements.push_back(random_placement());
            }
        }
        carry_out(scheduler_.set_models(models_, now_));
        carry_out(scheduler_.set_budgets(random_budgets(), now_));
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            now_ += 1ms * pick(400);
            check();
        }
        settle_all();
    }

  private:
    unsigned pick(unsigned below) {
        return std::uniform_int_distribution<unsigned>(0, below - 1)(random_);
    }

    Rules random_rules() {
        Rules rules;
        rules.max_loaded = pick(4);
        rules.queue_size = 5 + pick(20);
        rules.max_wait = 1ms * pick(3000);
        rules.min_residency = 1ms * pick(3000);
        rules.drain_timeout = 1ms * pick(5000);
        rules.aging = 1ms * pick(5000);
        rules.quarantine_after = 1 + pick(8);
        rules.yield_to_others = pick(2) == 0;
        rules.groups["apart"] = 1 + pick(2);
        return rules;
    }

    Footprint random_placement() {
        switch (pick(3)) {
            case 0:
                return {{"host", 10 + pick(100)}};
            case 1:
                return {{"host", pick(20)}, {"gpu0", 10 + pick(50)}};
            default:
                return {{"gpu0", 10 + pick(30)}, {"gpu1", 10 + pick(30)}};
        }
    }

    std::map<std::string, Budget> random_budgets() {
        return {{"host", {60 + pick(100), pick(3) == 0 ? pick(60) : 0}},
                {"gpu0", {30 + pick(50), pick(3) == 0 ? pick(30) : 0}},
                {"gpu1", {30 + pick(50), 0}}};
    }

    void step() {
        if (now_ >= wake_at_) {
            wake_at_ = TimePoint::max();
            carry_out(scheduler_.on_time(now_));
        }
        switch (pick(10)) {
            case 0:
            case 1:
            case 2:
                return come();
            case 3:
                return leave();
            case 4:
            case 5:
                return give_back();
            case 6:
            case 7:
                return finish_start();
            case 8:
                return finish_stop();
            default:
                return disturb();
        }
    }

    void come() {
        Ask ask;
        ask.ticket = ++last_ticket_;
        ask.model = std::string(1, static_cast<char>('a' + pick(6)));  // 'f' is not known
        ask.priority = static_cast<Priority>(pick(3));
        ask.key = std::string(1, static_cast<char>('x' + pick(3)));
        ask.conversation = pick(6);
        ask.needs_slot = pick(5) != 0;
        ask.cause = pick(20) == 0 ? Cause::command : Cause::request;
        if (pick(4) == 0) {
            ask.deadline = now_ + 1ms * pick(5000);
        }
        waiting_.insert(ask.ticket);
        carry_out(scheduler_.on_request(ask, now_));
    }

    void leave() {
        if (!waiting_.empty()) {
            const auto ticket = *std::next(waiting_.begin(), pick(size(waiting_)));
            waiting_.erase(ticket);
            carry_out(scheduler_.on_leave(ticket, now_));
        }
    }

    void give_back() {
        if (!granted_.empty()) {
            const auto ticket = *std::next(granted_.begin(), pick(size(granted_)));
            granted_.erase(ticket);
            carry_out(scheduler_.on_release(ticket, now_));
        }
    }

    void finish_start() {
        if (starting_.empty()) {
            return;
        }
        const auto instance = *std::next(starting_.begin(), pick(size(starting_)));
        starting_.erase(instance);
        if (pick(6) == 0) {
            end(instance);
        } else {
            running_.insert(instance);
            carry_out(scheduler_.on_ready(instance, now_));
        }
    }

    void finish_stop() {
        if (!stopping_.empty()) {
            const auto instance = *std::next(stopping_.begin(), pick(size(stopping_)));
            end(instance);
        }
    }

    void disturb() {
        const auto model = std::string(1, static_cast<char>('a' + pick(5)));
        switch (pick(8)) {
            case 0:
                if (!running_.empty()) {
                    end(*std::next(running_.begin(), pick(size(running_))));  // a crash
                }
                return;
            case 1:
                carry_out(scheduler_.on_command(model, Scheduler::Command::unload, now_));
                return;
            case 2:
                carry_out(scheduler_.set_rules(random_rules(), now_));
                return;
            case 3:
                scheduler_.forget_failures(model);
                return;
            case 4:
                models_[model].fingerprint = std::to_string(pick(2));
                carry_out(scheduler_.set_models(models_, now_));
                return;
            case 5:
                carry_out(scheduler_.set_budgets(random_budgets(), now_));
                return;
            case 6:
                return measure();
            default:
                carry_out(scheduler_.on_command(model, Scheduler::Command::restart, now_));
                return;
        }
    }

    /// A server holds other than was reserved for it.
    void measure() {
        if (!running_.empty()) {
            const auto instance = *std::next(running_.begin(), pick(size(running_)));
            auto held = scheduler_.world().residents.at(instance).reserved;
            for (auto& [device, bytes] : held) {
                bytes += pick(10);
            }
            carry_out(scheduler_.on_measured(instance, held, now_));
        }
    }

    void check_eviction(const Stop& stop) const {
        if (stop.reason.why != Why::makes_room && stop.reason.why != Why::yields) {
            return;
        }
        const auto& world = scheduler_.world();
        const auto& victim = world.residents.at(stop.instance);
        EXPECT_TRUE(victim.is_idle()) << "evicted while it worked";
        const auto rules = world.models.find(victim.model);
        EXPECT_FALSE(rules != world.models.end() && rules->second.pinned) << "evicted, and pinned";
    }

    /// When a server starts, all that is reserved on each of its devices, the servers that are on
    /// their way out included, is within what models may use there.
    void check_budgets(const Start& start) const {
        const auto& world = scheduler_.world();
        for (const auto& [device, bytes] : start.reserved) {
            std::uint64_t reserved = 0;
            for (const auto& [id, resident] : world.residents) {
                const auto held = resident.reserved.find(device);
                reserved += held == resident.reserved.end() ? 0 : held->second;
            }
            const auto& budget = world.budgets.at(device);
            EXPECT_LE(reserved + budget.foreign, budget.usable) << "over budget on " << device;
        }
        if (world.rules.max_loaded > 0) {
            EXPECT_LE(world.residents.size(), world.rules.max_loaded) << "over the limit";
        }
        if (!places_of(world, start.model).groups.empty()) {
            const auto members = std::ranges::count_if(world.residents, [](const auto& entry) {
                return !entry.second.places.groups.empty();
            });
            EXPECT_LE(members, world.rules.groups.at("apart")) << "not apart";
        }
        const auto servers = world.residents_of(start.model);
        EXPECT_LE(servers.size(), world.models.at(start.model).instances) << "too many instances";
    }

    void end(InstanceId instance) {
        starting_.erase(instance);
        running_.erase(instance);
        stopping_.erase(instance);
        carry_out(scheduler_.on_exited(instance, {"by the test", 0.5}, now_));
    }

    void carry_out(const Actions& actions) {
        for (const auto& action : actions) {
            if (const auto* grant = std::get_if<Grant>(&action)) {
                EXPECT_EQ(waiting_.erase(grant->ticket), 1U) << "settled twice or after leaving";
                EXPECT_TRUE(running_.contains(grant->instance)) << "granted on what does not run";
                EXPECT_GE(grant->queued, grant->loaded);
                granted_.insert(grant->ticket);
            } else if (const auto* refuse = std::get_if<Refuse>(&action)) {
                EXPECT_EQ(waiting_.erase(refuse->ticket), 1U) << "settled twice or after leaving";
                EXPECT_NE(refusal(refuse->model, refuse->reason).code(), Errc::internal);
            } else if (const auto* start = std::get_if<Start>(&action)) {
                starting_.insert(start->instance);
                check_budgets(*start);
            } else if (const auto* stop = std::get_if<Stop>(&action)) {
                EXPECT_TRUE(stopping_.insert(stop->instance).second) << "stopped twice";
                check_eviction(*stop);
                starting_.erase(stop->instance);
                running_.erase(stop->instance);
            } else if (const auto* wake = std::get_if<Wake>(&action)) {
                wake_at_ = wake->at;
            }
        }
    }

    void check() const {
        const auto& world = scheduler_.world();
        for (const auto& [id, resident] : world.residents) {
            EXPECT_LE(resident.busy, resident.slots) << "over-filled";
        }
        EXPECT_EQ(world.waiters.size(), waiting_.size());
        EXPECT_EQ(world.granted.size(), granted_.size());
        unsigned busy = 0;
        for (const auto& [id, resident] : world.residents) {
            busy += resident.busy + resident.passengers;
        }
        EXPECT_LE(busy, granted_.size());
        EXPECT_GE(wake_at_, TimePoint()) << "a wake in the past";
        for (const auto& [model, queue] : world.queues) {
            for (const auto* resident : world.residents_of(model)) {
                const bool could_run = resident->phase == Phase::ready &&
                                       resident->has_free_slot() && !queue.for_slot.empty();
                EXPECT_FALSE(could_run) << "a request waits though a slot is free";
            }
            EXPECT_EQ(queue.by_age.size(), queue.for_slot.size() + queue.for_server.size());
            EXPECT_EQ(queue.by_rank.size(), queue.by_age.size());
            EXPECT_FALSE(queue.empty());
        }
    }

    /// When clients only finish and servers do what they are told, nobody waits for ever.
    void settle_all() {
        for (int i = 0; i < 100000 && !waiting_.empty(); ++i) {
            now_ += 50ms;
            if (now_ >= wake_at_) {
                wake_at_ = TimePoint::max();
                carry_out(scheduler_.on_time(now_));
            }
            give_back();
            finish_stop();
            if (!starting_.empty()) {
                const auto instance = *starting_.begin();
                starting_.erase(instance);
                running_.insert(instance);
                carry_out(scheduler_.on_ready(instance, now_));
            }
            check();
        }
        EXPECT_TRUE(waiting_.empty()) << waiting_.size() << " wait for ever";
        while (!granted_.empty()) {
            give_back();
        }
        for (const auto& [model, usage] : scheduler_.world().usage) {
            EXPECT_TRUE(usage.shares.empty()) << "remembers for ever who wanted " << model;
        }
    }

    static unsigned size(const std::set<std::uint64_t>& set) {
        return static_cast<unsigned>(set.size());
    }

    std::mt19937 random_;
    TimePoint now_ = TimePoint(1000h);
    TimePoint wake_at_ = TimePoint::max();
    Scheduler scheduler_;
    std::map<std::string, ModelRules> models_;
    std::set<TicketId> waiting_;
    std::set<TicketId> granted_;
    std::set<InstanceId> starting_;
    std::set<InstanceId> running_;
    std::set<InstanceId> stopping_;
    TicketId last_ticket_ = 0;
};

TEST(SchedulerPropertyTest, KeepsItsPromisesWhateverHappens) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Simulation(seed).run(400);
        if (testing::Test::HasFailure()) {
            return;  // one seed tells enough
        }
    }
}

}  // namespace
}  // namespace routerd::scheduler
