#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/api/upgrade.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/config/load.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace routerd {

class Catalog;
class Connection;
class EventLog;
class Fleet;
class LogRing;
class RequestHistory;
class KeyRing;
class Pulls;
class Store;

/// What only the composition root knows.
struct DaemonFacts {
    WallTime started;
    std::chrono::milliseconds uptime{0};  ///< whatever became of the clock on the wall since
    bool stopping = false;
    std::vector<std::string> addresses;  ///< where it listens
    std::uint64_t active = 0;            ///< requests being answered now
    std::uint64_t requests = 0;          ///< since the start
    std::uint64_t failed = 0;            ///< of them
    std::vector<std::string> problems;   ///< what is wrong, one sentence each
};

/// The native control API, /control/v1/…: thin handlers over the same services that every other
/// door uses. Owned by App, core loop only. The services must outlive it, and stop() must have
/// returned before its destruction.
class Control {
  public:
    struct Services {
        asio::any_io_executor executor;
        asio::thread_pool& pool;  ///< for what blocks
        Store& store;
        Catalog& catalog;
        Fleet& fleet;
        EventLog& events;
        LogRing& log;
        RequestHistory& requests;
        KeyRing& keys;
        Pulls& pulls;
        std::function<const LoadedConfig&()> config;  ///< in force now
        std::function<DaemonFacts()> daemon;
        std::function<asio::awaitable<Result<void>>()> reload;
        std::function<void(bool keep_models)> shutdown;  ///< begins it
        /// Starts a routerd that takes over, and waits until it serves. `asker`: the connection
        /// that is to hear of it.
        std::function<asio::awaitable<Result<api::UpgradeResult>>(const Connection* asker)> upgrade;
    };

    explicit Control(Services services);
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    /// The table; the Control must outlive it.
    std::vector<Route> routes();

    /// Returns when nothing goes on without a client any more, or at the deadline.
    asio::awaitable<void> finish(TimePoint deadline);

    /// Ends what goes on without a client (a switch that was left alone), and waits for it.
    asio::awaitable<void> stop();

    // For the handlers.
    Services& services() noexcept { return services_; }
    TaskGroup& tasks() noexcept { return tasks_; }

    /// `callback` is called after any change of the fleet's instances.
    Subscription on_fleet_change(std::function<void()> callback) {
        return fleet_changed_.subscribe(std::move(callback));
    }

  private:
    Services services_;
    Broadcast<> fleet_changed_;
    TaskGroup tasks_;  // unloads and switches, which go on when their client leaves
};

}  // namespace routerd
