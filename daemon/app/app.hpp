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
#include "daemon/store/state_lock.hpp"
#include "daemon/store/store.hpp"
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
    static Result<std::unique_ptr<App>> build(LoadedConfig loaded, LoadOptions load);

    /// Runs until a signal ends it. Errors: what kept it from starting.
    Result<void> run();

    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

  private:
    App(LoadedConfig loaded, LoadOptions load, StateLock lock, std::unique_ptr<Store> store,
        Doors doors);
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
    asio::awaitable<Result<void>> reload();
    /// Ends run(), with or without the model servers.
    void begin_stop(Fleet::OnShutdown servers);
    asio::awaitable<void> stop();
    DaemonFacts facts() const;
    llama_router::ServerReport server_report() const;
    void log_record(const Record& record);
    void start_workers();
    bool place(Arrival& arrival);
    asio::awaitable<void> end_connections();

    LoadedConfig loaded_;
    LoadOptions load_;
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
    std::shared_ptr<const Authenticator> authenticator_;  // in force; each loop has its own pointer
    Health health_;
    Control control_;
    LlamaRouter llama_router_;
    Routes routes_;
    Server server_;
    std::vector<std::unique_ptr<Worker>> workers_;  // loops beside this one
    Doors doors_;
    TaskGroup tasks_;  // the catalogue's watch, signals
    Turns reloads_;
    asio::signal_set signals_;
    Signal stop_;
    Result<void> outcome_ = Result<void>();
    Fleet::OnShutdown servers_ = Fleet::OnShutdown::stop_servers;  // what stop() does with them
    bool stopping_ = false;
    std::uint64_t requests_ = 0;  // to models, since the start
    std::uint64_t failed_ = 0;    // of them
    WallTime started_ = std::chrono::system_clock::now();
    std::vector<std::string> problems_;  // what `status` has to say
};

}  // namespace routerd
