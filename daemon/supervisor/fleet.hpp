#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/api/event.hpp"
#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/backends/backend.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/devices/cgroup.hpp"
#include "daemon/devices/nvml.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/process/log_query.hpp"
#include "daemon/supervisor/correction_rows.hpp"
#include "daemon/supervisor/instance_rows.hpp"
#include "daemon/supervisor/instance_view.hpp"
#include "daemon/supervisor/legacy.hpp"
#include "daemon/supervisor/reports.hpp"

namespace routerd {

/// What a load of one model would do to the others: `switch --dry-run`.
struct LoadPlan {
    struct Eviction {
        std::uint64_t instance = 0;
        std::string model;
        unsigned busy = 0;        ///< requests it would finish first
        std::uint64_t bytes = 0;  ///< that this would free, about
        std::string reason;       ///< "least recently used, idle for 4m 3s"
    };
    std::string model;
    InstanceState state = InstanceState::off;  ///< of the model now
    std::vector<Eviction> evictions;
    std::string note;  ///< what it would wait for, or why it would be refused; empty: nothing
};

/// Runs the models' servers: carries out what the Scheduler decides (start, drain, stop, grant,
/// refuse) and tells it what came of it. Owned by App; everything happens on the core loop. Servers
/// outlive it when it is killed and are adopted by the next one. At destruction shutdown() must
/// have returned, and no Ticket or Lease may be left.
class Fleet final : public Gate {
  public:
    /// `pool` for blocking file work; must be joined before the Fleet is destroyed.
    struct Services {
        asio::any_io_executor executor;
        asio::thread_pool& pool;
        InstanceRows& rows;
        api::EventSink events;
        Roots roots{};  ///< of /proc and /sys, where devices tell what memory they have
        CorrectionRows* corrections = nullptr;  ///< null: what loads teach is forgotten at the end
        const nvml::Api* nvml = nullptr;        ///< null: the system's, if it has one
    };

    Fleet(Services services, const Config& config);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    /// The models that may run. Servers of models that are gone, disabled, or whose command line is
    /// not what they were started with are drained and stopped; all others run on.
    void set_catalog(SnapshotPtr snapshot);

    /// A changed configuration (limits, queue, llama_server): as for set_catalog.
    void apply(const Config& config);

    /// Once, after the first set_catalog() and before the first request: takes over the servers of
    /// an earlier daemon that still live and answer, ends those that should not live, forgets the
    /// dead. Errors: unavailable when the rows or folders cannot be read or made.
    /// `held`: what the fleet before left, when its process still answers requests with them; see
    /// take_inherited().
    asio::awaitable<Result<void>> adopt(std::vector<Legacy::Held> held = {});

    /// Once, after adopt(): the requests that the fleet before still runs, as granted tickets, by
    /// its numbers.
    std::vector<std::pair<std::uint64_t, Ticket>> take_inherited();

    asio::awaitable<Admission> admit(std::string key) override;
    Ticket request(const Demand& demand) override;
    asio::awaitable<std::size_t> least_busy(std::vector<std::string> models) override;
    std::size_t least_busy_now(const std::vector<std::string>& models) const;

    /// Loads and waits until it is ready; at once when it is. The load goes on when the caller
    /// stops waiting. Errors: as Ticket::take().
    asio::awaitable<Result<void>> load(std::string id);

    /// Begins a load and does not wait. Errors: what can be said at once.
    Result<void> start_load(const std::string& id);

    /// Loads these as far as there is room without evicting anything.
    void preload(const std::vector<std::string>& ids);

    /// Drains, stops and waits for the end of the process. False when it was not running.
    /// Errors: not_found when there is no such model.
    asio::awaitable<Result<bool>> unload(std::string id);

    /// Number of servers stopped.
    asio::awaitable<std::size_t> unload_all();

    /// Unload (when running), then load. Also forgets failures.
    asio::awaitable<Result<void>> restart(std::string id);

    /// Forgets failures, so that the next request starts the model at once. The last error, or
    /// empty when there was none. Errors: not_found.
    Result<std::string> reset(const std::string& id);

    /// Every server that lives and every model that failed or crashed, by model id.
    std::vector<InstanceView> instances() const;

    /// One model's; state off when nothing runs. Of several servers the one that serves.
    InstanceView view(const std::string& id) const;
    InstanceState model_state(const std::string& id) const;

    /// Every device with what models may use of it and who holds what. The host comes first.
    std::vector<DeviceReport> memory() const;

    /// Every request that waits, in the order in which each model serves them.
    std::vector<WaitingReport> queue() const;

    /// Refuses a request that waits (Errc::cancelled), by its request id or ticket number in
    /// decimal. Errors: not_found when none waits under that name.
    Result<WaitingReport> cancel(const std::string& request);

    /// By model id: those that have, or had, requests.
    std::map<std::string, QueueTotals> queue_totals() const;

    /// By model id, of every model that was started since the daemon's start.
    std::vector<HealthReport> health() const;

    /// What a load of `id` with these options would need and do. Errors: not_found; load_failed
    /// when there is no server program; invalid_request for options that make no sense.
    Result<EstimateReport> estimate(const std::string& id, const EstimateOptions& options) const;

    /// The decisions about a model (by id) or a request (by request id), the oldest first. Those
    /// about a request have between its coming and its grant those about its model. The newest few
    /// hundred of a model and few thousand requests are kept. Errors: not_found.
    Result<std::vector<Decision>> explain(const std::string& model_or_request) const;

    /// What load(id) would evict now; `exclusive`: everything else.
    LoadPlan preview(const std::string& id, bool exclusive) const;

    /// Exactly what a load would run, with the environment added for it; `{port}` stands for a
    /// port chosen at the start. Errors: load_failed when there is no server program.
    Result<CommandLine> command_line(const Model& model) const;
    Result<CommandLine> command_line(const std::string& id) const;

    /// The model's log, both files, oldest line first; of several servers that of `instance`, or of
    /// the first. Errors: not_found when it never ran.
    asio::awaitable<Result<LogPage>> read_log(std::string id, LogQuery query,
                                              std::uint64_t instance = 0);

    /// Waits until the log has grown past `seen` (LogPage::seen) or `deadline` passed.
    asio::awaitable<void> wait_log(std::string id, std::uint64_t seen, TimePoint deadline,
                                   std::uint64_t instance = 0);

    /// The files of a model's log, newest first; they may not exist.
    std::vector<std::string> log_files(const std::string& id) const;

    void on_closing_instance(std::function<void(std::uint64_t)> callback) override;

    void leave(std::uint64_t ticket) override;
    void release(std::uint64_t ticket, std::uint64_t instance, const LeaseReport& report) override;
    asio::awaitable<Ticket::Progress> progress(std::uint64_t ticket) override;
    asio::awaitable<std::string> end_of(std::uint64_t instance,
                                        std::chrono::milliseconds grace) override;

    /// Called on the loop after any change of instances().
    void on_change(std::function<void()> callback);

    /// Totals since the start: requests granted, refused.
    struct Totals {
        std::uint64_t granted = 0;
        std::uint64_t refused = 0;
        std::size_t queued = 0;
        std::size_t processing = 0;
    };
    Totals totals() const;

    /// Refuses what is new, lets leases finish up to drain_timeout, then stops all servers at once
    /// and waits for their end. `leave_running`: the servers stay for the next daemon (an upgrade).
    enum class OnShutdown { stop_servers, leave_running };
    asio::awaitable<void> shutdown(OnShutdown servers = OnShutdown::stop_servers);

    /// Waits for the servers that are ending.
    asio::awaitable<void> finish_stopping();

    /// Leaves servers and requests to the fleet of another process: finish_stopping(), lets
    /// the other servers live on, and from then on asks `successor` in its own place. It is told
    /// of what there is by `take_over`, before anything else. In place of shutdown().
    asio::awaitable<void> hand_over(Gate& successor, std::function<void(Legacy)> take_over);

    /// During shutdown(): do not wait for leases any more (a second signal).
    void hurry();

    class Core;

  private:
    Gate* successor_ = nullptr;   // asked since hand_over()
    std::unique_ptr<Core> core_;  // pimpl: runners, processes and queues stay out of this header
};

}  // namespace routerd
