#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/time.hpp"
#include "common/config/schema.hpp"
#include "daemon/backends/backend.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/process/child.hpp"
#include "daemon/process/log_file.hpp"
#include "daemon/supervisor/instance_rows.hpp"
#include "daemon/supervisor/instance_view.hpp"
#include "daemon/supervisor/probe.hpp"

namespace routerd {

class Instance;

/// Who is told of an instance's life; on the core loop, not from inside a call to the instance
/// except where said.
class InstanceObserver {
  public:
    virtual ~InstanceObserver() = default;
    virtual void on_ready(Instance& instance) = 0;
    virtual void on_progress(Instance& instance) = 0;

    /// Its process is about to be told to end: idle connections to it must go.
    virtual void on_closing(Instance& instance) = 0;

    /// A probe of the ready server was answered after `took`, or was not.
    virtual void on_probe(Instance& instance, std::optional<std::chrono::microseconds> took) = 0;

    /// Its process has ended, for the reason Instance::end() gives; cleaning up goes on.
    virtual void on_ended(Instance& instance) = 0;
};

/// One server: starts it, asks until it is ready, watches it, ends it, cleans up after it. One that
/// is elsewhere is taken to be there, and is asked nothing but what clients ask. Owned by the
/// fleet, which runs its run() once and keeps it until run() has returned. Core loop.
class Instance {
  public:
    struct Plan {
        std::uint64_t id = 0;
        std::string model;
        const Backend* backend = nullptr;
        std::function<Result<CommandLine>(const ListenAt&)> command_line;
        /// Of one that is elsewhere: reads the files that its configuration names. Blocks, any
        /// thread; empty for one that is started here.
        std::function<Result<std::shared_ptr<const RemoteServer>>()> remote;
        std::vector<std::string> files;  ///< that must be there for a start
        std::string fingerprint;
        DevicePlan where;        ///< what command_line() tells it
        std::string owner;       ///< marks its processes as ours (the state directory)
        std::string started_by;  ///< and as this daemon's, which no other has
        std::string folder;      ///< of its socket; empty: TCP
        unsigned slots = 1;
        std::uint64_t context = 0;
        Duration start_timeout{0};
        Duration stop_timeout{0};
        Duration probe_interval{0};  ///< 0: a ready server is not asked
    };

    /// What it works with; all outlive it.
    struct Tools {
        asio::any_io_executor executor;
        asio::thread_pool& pool;
        InstanceRows& rows;
        TaskGroup& watchers;  ///< for the wait for the process's end
        InstanceObserver& observer;
    };

    /// One that shall be started; without a log, one that is elsewhere.
    Instance(Plan plan, Tools tools, LogFile* log);

    /// One that an earlier daemon started.
    Instance(Plan plan, Tools tools, LogFile* log, const InstanceRow& row, Child child);

    /// Its whole life.
    asio::awaitable<void> run();

    void stop();     ///< close our connections, TERM, TERM, KILL
    void kill();     ///< the same without waiting for anything
    void abandon();  ///< let the process live; run() returns soon

    /// How a request to it went, as far as the server is concerned.
    void answered(Answered how);

    const Plan& plan() const noexcept { return plan_; }
    const Endpoint& endpoint() const noexcept { return endpoint_; }
    /// nullptr before it is ready.
    const std::shared_ptr<ModelServer>& server() const noexcept { return server_; }
    bool is_ready() const noexcept { return state_ == InstanceState::ready; }
    InstanceState state() const noexcept { return state_; }
    /// It was asked, and is not ready yet.
    bool loads() const noexcept { return loads_ && !is_ready(); }

    /// Empty where it has none.
    std::string log_path() const { return log_ != nullptr ? log_->paths().current : ""; }

    /// 0 when there is no process.
    pid_t pid() const noexcept { return child_ && !exit_ ? child_->pid() : 0; }

    /// Why it ended, for people; empty while it lives.
    const std::string& end() const noexcept { return end_; }

    /// What its log said that it allocates, until it was ready; see Observed::logged.
    std::vector<DeviceNeed> logged_memory() const;

    void rate(double tokens_per_second) noexcept { rate_ = tokens_per_second; }
    std::optional<std::chrono::milliseconds> load_time() const noexcept { return load_time_; }

    /// What it can say itself; the rest is the fleet's.
    InstanceView view() const;

  private:
    enum class Outcome { ready, wanted_stop, failed, port_lost };

    asio::awaitable<Outcome> start();
    asio::awaitable<Outcome> reach();
    Result<void> prepare();
    Result<void> spawn();
    asio::awaitable<void> remember();
    asio::awaitable<Result<void>> record();
    asio::awaitable<Outcome> become_ready(TimePoint deadline);
    bool take_answer(const Result<Probe::Answer>& answer);
    asio::awaitable<Outcome> after_early_end();
    asio::awaitable<void> learn_context();
    asio::awaitable<void> serve();
    asio::awaitable<bool> ask_health();
    asio::awaitable<void> end_process();
    asio::awaitable<void> wait_for_end(TimePoint deadline);
    asio::awaitable<void> explain_end();
    asio::awaitable<void> clean_up();
    asio::awaitable<void> watch();
    void listen_to_log();
    std::string mark() const;

    Plan plan_;
    Tools tools_;
    LogFile* log_;  // nullptr: elsewhere
    Endpoint endpoint_;
    std::shared_ptr<ModelServer> server_;
    CommandLine command_;
    std::optional<Child> child_;
    std::optional<ExitStatus> exit_;
    Signal wake_;  // run() waits here: the end, stop(), kill(), abandon()
    Probe probe_;
    InstanceState state_ = InstanceState::starting;
    LastLines recent_;
    LastLines errors_;
    std::unique_ptr<MemoryLog> memory_log_;  // null: its kind says nothing of memory
    std::string last_answer_;                // what the health probe said last
    std::string failure_;                    // why it is ended by us before it was ready
    std::string end_;
    WallTime started_;
    TimePoint started_at_;
    std::optional<std::chrono::milliseconds> load_time_;
    std::optional<unsigned> loaded_percent_;
    std::optional<double> rate_;
    bool adopted_ = false;
    bool recorded_ = false;   ///< its row was written, or tried to be
    bool remembered_ = true;  ///< its row is there; unless that failed
    bool loads_ = false;      ///< its first answer was not that it is ready
    unsigned stalls_ = 0;     ///< answers in a row that stopped in the middle
    bool suspected_ = false;
    bool stop_wanted_ = false;
    bool in_hurry_ = false;
    bool abandoned_ = false;
};

}  // namespace routerd
