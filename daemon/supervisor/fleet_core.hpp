#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "daemon/devices/process_memory.hpp"
#include "daemon/gate/ticket_state.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/net/turn_time.hpp"
#include "daemon/process/log_file.hpp"
#include "daemon/process/log_follower.hpp"
#include "daemon/scheduler/scheduler.hpp"
#include "daemon/supervisor/decision_log.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/health_book.hpp"
#include "daemon/supervisor/instance.hpp"
#include "daemon/supervisor/memory_book.hpp"

namespace routerd {

/// The fleet's body: the scheduler's hands. Each of its actions is carried out here, and what comes
/// of it goes back as the next event. Owned by the Fleet; core loop.
class Fleet::Core : public InstanceObserver {
  public:
    Core(Fleet& door, Services services, const Config& config);

    // What the Fleet's own functions do; see there.
    void set_catalog(SnapshotPtr snapshot);
    void apply(const Config& config);
    asio::awaitable<Result<void>> adopt(std::vector<Legacy::Held> held);
    std::vector<std::pair<std::uint64_t, Ticket>> take_inherited();
    asio::awaitable<void> finish_stopping();
    Legacy leave_all();
    void tell_closing(std::uint64_t instance);
    asio::awaitable<void> close();
    Ticket request(const Demand& demand, scheduler::Cause cause);
    asio::awaitable<Result<void>> load(std::string id);
    Result<void> start_load(const std::string& id, scheduler::Cause cause);
    asio::awaitable<Result<bool>> unload(std::string id);
    asio::awaitable<std::size_t> unload_all();
    asio::awaitable<Result<void>> restart(std::string id);
    Result<std::string> reset(const std::string& id);
    std::vector<InstanceView> instances() const;
    InstanceView view(const std::string& id) const;
    LoadPlan preview(const std::string& id, bool exclusive) const;
    Result<CommandLine> command_line(const Model& model) const;
    Result<CommandLine> command_line(const std::string& id) const;
    std::vector<DeviceReport> memory() const;
    std::vector<WaitingReport> queue() const;
    Result<WaitingReport> cancel(const std::string& request);
    std::map<std::string, QueueTotals> queue_totals() const;
    Result<EstimateReport> estimate(const std::string& id, const EstimateOptions& options) const;
    Result<std::vector<Decision>> explain(const std::string& model_or_request) const;
    Result<LogFile*> log_to_read(const std::string& id, std::uint64_t instance);
    std::vector<std::string> log_files(const std::string& id) const;
    std::vector<HealthReport> health() const;
    Admission admit(const std::string& key) { return limiter_.take(key, turn_now()); }
    std::size_t least_busy(const std::vector<std::string>& models) const;
    void on_closing_instance(std::function<void(std::uint64_t)> callback);
    void on_change(std::function<void()> callback);
    Totals totals() const;
    asio::awaitable<void> shutdown(OnShutdown servers);
    void hurry();

    // For tickets and leases.
    void leave(scheduler::TicketId ticket);
    void release(scheduler::TicketId ticket, std::uint64_t instance, const LeaseReport& report);
    asio::awaitable<std::string> end_within(std::uint64_t instance,
                                            std::chrono::milliseconds grace);
    Ticket::Progress progress(scheduler::TicketId ticket) const;

    // InstanceObserver
    void on_ready(Instance& instance) override;
    void on_progress(Instance& instance) override;
    void on_closing(Instance& instance) override;
    void on_probe(Instance& instance, std::optional<std::chrono::microseconds> took) override;
    void on_ended(Instance& instance) override;

  private:
    void add_holders(DeviceReport& report) const;
    struct Kept {
        std::unique_ptr<Instance> instance;
        bool ended = false;  ///< cleans up; the scheduler has forgotten it
    };

    /// A ticket of the fleet's own: that of a request on this loop, or of a load.
    struct Waiting : Ticket::State {
        Waiting(Gate& of, scheduler::TicketId number, const asio::any_io_executor& executor,
                const Demand& demand, DecisionLog::Stamp stamp)
            : State(of, number, executor),
              asker{demand.request_id, demand.model, stamp},
              key(demand.key),
              priority(demand.priority) {}

        DecisionLog::Asker asker;
        std::string key;  ///< name of the key that the request came with
        Priority priority;
        bool waits = false;  ///< it was not settled as it came
    };

    /// A model as it would be started now.
    struct Planned {
        std::shared_ptr<const Model> model;  ///< its context may be smaller than the whole
        std::optional<LaunchParameters> launch;
        std::string fingerprint;
        std::vector<MemoryOption> options;
        std::vector<scheduler::Footprint> placements;  ///< those of `options`
    };

    /// What a look at the machine found.
    struct Look {
        DeviceReadings readings;
        std::map<std::uint64_t, ProcessMemory> servers;  ///< by instance

        /// Bytes that a process has on each GPU that tells it.
        scheduler::Footprint on_gpus(pid_t pid) const;
    };

    /// Requests of one model since the start.
    struct Counts {
        std::uint64_t granted = 0;
        std::uint64_t refused = 0;
    };

    void carry_out(scheduler::Actions actions);
    void perform(const scheduler::Action& action);
    void start(const scheduler::Start& action);
    void stop(const scheduler::Stop& action);
    void settle(scheduler::TicketId ticket, Result<scheduler::Grant> outcome);
    void note_grant(const Waiting& ticket, const scheduler::Grant& grant);
    void note_report(std::uint64_t instance, const LeaseReport& report);
    std::string end_of(std::uint64_t instance) const;
    std::optional<scheduler::Grant> grant_at_once(const scheduler::Ask& ask);
    Ticket settled_ticket(scheduler::TicketId ticket, Result<Granted> outcome);
    Granted granted(const scheduler::Grant& grant) const;
    void note_refusal(const scheduler::Refuse& action);
    void refuse(const scheduler::Refuse& action);
    void end_limited(scheduler::TicketId ticket, std::uint64_t tokens);
    void report(const std::string& type, const std::string& model, std::uint64_t instance,
                const scheduler::Reason& reason);
    void changed();

    asio::awaitable<void> keep_time();
    asio::awaitable<void> run_instance(std::uint64_t id);
    asio::awaitable<void> run_errand(std::list<Ticket>::iterator errand);
    std::vector<std::uint64_t> servers_of(const std::string& id) const;
    asio::awaitable<void> wait_until_gone(std::uint64_t instance);
    asio::awaitable<void> wait_for_leases();
    void abandon_all();
    asio::awaitable<void> revive(std::string model);
    void remember_end(std::uint64_t instance, const std::string& end);
    void tell(api::Event event);
    double jitter();

    Instance::Plan plan_for(const std::shared_ptr<const Model>& model, std::uint64_t id,
                            const scheduler::Footprint& reserved) const;
    static DevicePlan place_of(const Planned& planned, const scheduler::Footprint& reserved);
    const MemoryOption* option_of(const Planned& planned, const InstanceRow& row) const;
    Instance::Tools tools();
    Result<LogFile*> log_of(const std::string& path);
    std::string log_path(const std::string& model, unsigned number = 1) const;
    std::string free_log_path(const std::string& model) const;
    std::map<std::string, scheduler::ModelRules> model_rules() const;
    Planned prepare(const std::shared_ptr<const Model>& model) const;
    std::shared_ptr<const Model> with_less_context(const Model& model,
                                                   const LaunchParameters& whole) const;

    // fleet_memory.cpp
    asio::awaitable<void> watch_memory();
    asio::awaitable<void> look_at_memory();
    void learn_from(const Instance& instance);
    asio::awaitable<void> recall_lessons();
    asio::awaitable<void> keep_lesson(Lesson lesson);
    std::optional<Lesson> teach(const Instance& instance, const Observed& observed);
    void finish_lessons(const std::map<std::uint64_t, std::uint64_t>& resident, const Look& look);
    scheduler::Footprint held_by_us(const Look& look) const;
    void note_growth(const Look& look);
    void ask_programs();
    asio::awaitable<void> ask_program(const Backend& backend, std::vector<std::string> question);
    void place_again();

    // fleet_reports.cpp, fleet_estimate.cpp
    WaitingReport waiting(scheduler::TicketId ticket, const scheduler::Waiter& waiter) const;
    scheduler::Scheduler trial_of(const std::string& id, const std::vector<MemoryOption>& ways,
                                  const EstimateOptions& options) const;

    std::shared_ptr<const Model> enabled_model(const std::string& id) const;
    Instance* instance_of(const std::string& model) const;
    InstanceView complete(InstanceView view, const scheduler::Resident* resident) const;
    void add_failure(InstanceView& view) const;

    // adoption.cpp
    bool adopt_row(const InstanceRow& row, const std::vector<Legacy::Held>& held);
    std::vector<scheduler::Scheduler::Inherited> inherit(std::uint64_t instance,
                                                         const std::vector<Legacy::Held>& held);
    asio::awaitable<void> end_strays(std::vector<std::int64_t> living);
    asio::awaitable<void> wait_for_adopted();

    Fleet& door_;
    Services services_;
    std::shared_ptr<const Config> config_;  ///< shared with the plans of starts under way
    SnapshotPtr catalog_;
    scheduler::Scheduler scheduler_;
    MemoryBook memory_;
    DeviceReader devices_;
    Signal memory_due_;  ///< somebody wants it looked at before its time
    /// Servers that are ready and were not looked at yet: resident bytes when they became so.
    std::map<std::uint64_t, std::uint64_t> lessons_due_;
    std::map<std::string, std::string> asked_;  ///< program → its file's time when it was asked
    std::deque<scheduler::Action> pending_;
    bool carrying_out_ = false;
    std::map<scheduler::TicketId, Waiting*> tickets_;  ///< not settled
    std::list<Signal> end_watches_;                    ///< end_within(): an instance ended
    scheduler::TicketId next_ticket_ = 1;
    std::vector<std::pair<std::uint64_t, Ticket>> inherited_;  ///< until they are taken
    std::list<Ticket> errands_;                                ///< loads that nobody waits for
    std::map<std::string, std::unique_ptr<LogFile>> logs_;     ///< by path
    std::unique_ptr<LogFollower> follower_;
    std::map<std::uint64_t, Kept> instances_;
    std::vector<std::unique_ptr<Instance>> left_running_;     ///< their watches end with the fleet
    std::deque<std::pair<std::uint64_t, std::string>> ends_;  ///< why the last ones ended
    std::vector<std::function<void(std::uint64_t)>> on_closing_instance_;
    std::vector<std::function<void()>> on_change_;
    Totals totals_;
    std::map<std::string, Counts> counts_;  ///< by model
    DecisionLog decisions_;
    HealthBook health_;
    std::map<std::string, TimePoint> told_refusal_;  ///< an event a second for each model
    RateLimiter limiter_;
    std::map<scheduler::TicketId, std::string> limited_;  ///< under way, by whose key
    std::minstd_rand random_;
    std::string mark_;  ///< of the processes that this daemon starts, and no other
    Signal wake_;
    TimePoint wake_at_ = TimePoint::max();
    TimePoint sleeps_until_ = TimePoint::max();
    bool closed_ = false;
    bool abandoning_ = false;  ///< the servers are left running
    bool left_ = false;        ///< to another fleet: nothing is decided here any more
    bool in_hurry_ = false;
    Signal adopted_;           ///< wait_for_adopted(): an instance changed
    Signal lease_ended_;       ///< wait_for_leases()
    asio::steady_timer gone_;  ///< never expires; cancelled when an instance is gone
    TaskGroup watchers_;
    TaskGroup tasks_;
};

}  // namespace routerd
