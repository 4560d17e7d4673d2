#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "common/api/event.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/dialects/llama_router_bodies.hpp"
#include "daemon/dialects/model_history.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace routerd {

class EventLog;
class EventStream;
class Fleet;

/// The dialect of the llama-server router: which models run, where, with how much memory, and how
/// to be rid of one (http-api.md). Owned by App; core loop only. The services must outlive it, and
/// its routes must not be served any more at destruction.
class LlamaRouter {
  public:
    struct Services {
        asio::any_io_executor executor;
        Fleet& fleet;
        EventLog& events;
        std::function<SnapshotPtr()> catalog;
        std::function<std::vector<HealthReport>()> health;  ///< Fleet::health()
        std::function<llama_router::ServerReport()> server;
        std::function<asio::awaitable<Result<void>>()> check;  ///< what /readyz asks
        std::chrono::milliseconds heartbeat{std::chrono::seconds(30)};
    };

    explicit LlamaRouter(Services services);
    LlamaRouter(const LlamaRouter&) = delete;
    LlamaRouter& operator=(const LlamaRouter&) = delete;

    /// The table; the LlamaRouter must outlive it. Before the routes of /v1/models/{id...}, which
    /// would take these paths for names.
    std::vector<Route> routes();

    /// The catalogue, or what `server` says, is another now: those who watch are told.
    void changed() { changed_.tell(); }

    /// Tells those who watch what is still to tell and ends their streams properly; waits for that,
    /// a second at most. New ones end at once.
    asio::awaitable<void> stop();

  private:
    class Watch;

    Result<Response> status(const Exchange& exchange) const;
    Result<Response> vram_model(const Exchange& exchange) const;
    Result<Response> reset(const Exchange& exchange);
    asio::awaitable<Result<Response>> eject(Exchange& exchange);
    asio::awaitable<Result<Response>> health(Exchange& exchange) const;
    asio::awaitable<void> stream(Exchange& exchange);
    static asio::awaitable<bool> tell(EventStream& stream, Watch& watch);

    Result<std::shared_ptr<const Model>> named(const Exchange& exchange) const;
    llama_router::Machine machine() const;
    llama_router::ModelReport report(const std::string& id,
                                     const llama_router::Machine& machine) const;
    // What `caller` may use, and so see.
    std::vector<std::string> enabled_models(const Caller& caller) const;
    std::vector<llama_router::ModelReport> living_models(const llama_router::Machine& machine,
                                                         const Caller& caller) const;
    llama_router::Body all_status(const Caller& caller) const;
    llama_router::Body failed(const Caller& caller) const;
    llama_router::Body queues(const Caller& caller) const;

    void on_event(const api::Event& event);
    void on_fleet_change();
    void remember(const std::string& id, InstanceState state);

    Services services_;
    ModelHistory history_;
    std::set<std::string> became_ready_;  ///< to be remembered when the fleet has settled
    Broadcast<> changed_;
    Subscription events_;
    std::size_t streams_ = 0;
    bool stopped_ = false;
    Signal stream_ended_;
};

}  // namespace routerd
