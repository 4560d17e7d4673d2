#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/result.hpp"
#include "common/config/load.hpp"
#include "daemon/app/doors.hpp"
#include "daemon/app/health.hpp"
#include "daemon/auth/authenticator.hpp"
#include "daemon/auth/key_ring.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/turns.hpp"
#include "daemon/control/control.hpp"
#include "daemon/dialects/llama_router.hpp"
#include "daemon/http/server.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/proxy/proxy.hpp"
#include "daemon/pull/pulls.hpp"
#include "daemon/store/state_lock.hpp"
#include "daemon/store/store.hpp"
#include "daemon/succession/link.hpp"
#include "daemon/succession/predecessor.hpp"
#include "daemon/succession/program.hpp"
#include "daemon/succession/successor_gate.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/stored_corrections.hpp"
#include "daemon/supervisor/stored_rows.hpp"
#include "daemon/telemetry/event_log.hpp"
#include "daemon/telemetry/log_ring.hpp"
#include "daemon/telemetry/telemetry.hpp"
#include "daemon/workers/worker.hpp"

namespace routerd {

/// The whole daemon: builds every part in order, runs, reloads, drains, stops. One per process;
/// main owns it. Parts are members in build order, so they go in the opposite one.
class App {
  public:
    /// Takes the state directory and opens what is in it; nothing listens yet. `load` is how the
    /// configuration was loaded, to load it again. Errors: conflict (another daemon has the state
    /// directory), invalid_request, unavailable.
    /// `program`: how this process was started, to start its successor. `predecessor`: the routerd
    /// that this one takes over from; nullptr: none. It is told when that fails.
    static Result<std::unique_ptr<App>> build(LoadedConfig loaded, LoadOptions load,
                                              Program program,
                                              std::unique_ptr<Predecessor> predecessor);

    /// Runs until a signal ends it. Errors: what kept it from starting.
    Result<void> run();

    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

  private:
    /// Another process that was started to take over.
    struct Successor {
        std::unique_ptr<Link> link;  ///< nullptr: there is none
        UniqueFd process;            ///< its pidfd
        std::uint64_t pid = 0;
        std::string version;
    };

    App(LoadedConfig loaded, LoadOptions load, StateLock lock, std::unique_ptr<Store> store,
        Doors doors);
    static Result<std::unique_ptr<App>> make(LoadedConfig loaded, LoadOptions load,
                                             Predecessor* predecessor);
    void use(std::optional<TlsContext> certificate);
    /// With the keys of `config` and those that are kept now. `is_local`: nobody beyond this
    /// machine can come in. Errors: those of Authenticator::make(), and forbidden where everybody
    /// could.
    asio::awaitable<Result<Authenticator>> read_authenticator(Config config, bool is_local);
    void let_in(Authenticator authenticator);
    void let_in_by_kept_keys();

    void add_routes();
    void report_store();
    asio::awaitable<void> main();
    asio::awaitable<Result<void>> start();
    asio::awaitable<void> watch_signals();
    asio::awaitable<void> feed_watchdog(std::chrono::microseconds limit);

    // app_reload.cpp
    struct Renewed {
        LoadedConfig loaded;
        Doors doors;
        std::optional<TlsContext> certificate;
        Authenticator authenticator;
    };
    asio::awaitable<Result<void>> reload();
    asio::awaitable<void> reload_by_signal();
    asio::awaitable<Result<Renewed>> read_again();
    Result<void> use(Renewed& renewed);

    /// Ends run(), with or without the model servers; after an upgrade that is under way, which
    /// leaves that to the new process when it succeeds.
    void begin_stop(Fleet::OnShutdown servers);
    asio::awaitable<void> stop();
    void reopen();
    void heed(int signal);

    // app_upgrade.cpp
    asio::awaitable<Result<api::UpgradeResult>> upgrade(const Connection* asker);
    asio::awaitable<Result<api::UpgradeResult>> try_upgrade(const Connection* asker);
    asio::awaitable<void> upgrade_by_signal();
    asio::awaitable<Result<Successor>> start_successor_from(std::string file);
    asio::awaitable<void> leave(const Connection* asker);
    asio::awaitable<void> wait_for_own(const Connection* asker, Duration most);
    asio::awaitable<Result<void>> give_to(Successor& successor);
    asio::awaitable<void> listen_to_successor();
    asio::awaitable<void> serve_predecessor();
    asio::awaitable<void> unload(std::string model);
    asio::awaitable<void> retire();
    void hear(const nlohmann::json& packet);
    void pass_to_successor(Arrival arrival);
    void pass_to_successor(const Record& record);
    void take_record(Record record, const std::string& route);

    DaemonFacts facts() const;
    std::optional<std::uint64_t> memory_for_a_model() const;
    llama_router::ServerReport server_report() const;
    void log_record(const Record& record);
    void start_workers();
    bool place(Arrival& arrival);
    asio::awaitable<void> end_connections();

    LoadedConfig loaded_;
    LoadOptions load_;
    Program program_;
    StateLock lock_;
    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    std::unique_ptr<Store> store_;
    asio::thread_pool pool_{2};
    LogRing log_;
    EventLog events_;
    Telemetry telemetry_;
    Catalog catalog_;
    StoredRows rows_;
    StoredCorrections corrections_;
    Fleet fleet_;
    Proxy proxy_;
    KeyRing keys_;
    Pulls pulls_;
    std::shared_ptr<const Authenticator> authenticator_;  // in force; each loop has its own pointer
    Health health_;
    Control control_;
    LlamaRouter llama_router_;
    Routes routes_;
    Server server_;
    std::vector<std::unique_ptr<Worker>> workers_;  // loops beside this one
    Doors doors_;
    TaskGroup tasks_;                           // signals, watchdog
    TaskGroup watch_;                           // of the catalogue
    std::unique_ptr<Predecessor> predecessor_;  // nullptr: none
    Predecessor::Inheritance inheritance_;      // until start()
    TaskGroup predecessors_;                    // what goes on for it
    SuccessorGate successor_gate_;
    Successor successor_;
    TaskGroup successors_;              // what goes on because of it
    std::vector<HandedOver> released_;  // until a successor serves
    std::vector<Record> held_records_;  // the same
    std::vector<Arrival> held_back_;    // the same
    Turns reloads_;
    asio::signal_set signals_;
    Signal stop_;
    Result<void> outcome_ = Result<void>();
    Fleet::OnShutdown servers_ = Fleet::OnShutdown::stop_servers;  // what stop() does with them
    bool stopping_ = false;
    bool stop_asked_ = false;     // during an upgrade
    bool upgrading_ = false;      // a successor is being started
    bool leaving_ = false;        // it gets what is here
    bool retires_ = false;        // it serves: what is left is to answer what was begun
    std::uint64_t requests_ = 0;  // to models, since the start
    std::uint64_t failed_ = 0;    // of them
    WallTime started_ = std::chrono::system_clock::now();
    TimePoint started_at_ = steady_now();
    std::vector<std::string> problems_;  // what `status` has to say
};

}  // namespace routerd
