#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/decision.hpp"
#include "common/api/estimate.hpp"
#include "common/api/event.hpp"
#include "common/api/instance.hpp"
#include "common/api/key.hpp"
#include "common/api/log.hpp"
#include "common/api/memory.hpp"
#include "common/api/model.hpp"
#include "common/api/profile.hpp"
#include "common/api/pull.hpp"
#include "common/api/queue.hpp"
#include "common/api/removal.hpp"
#include "common/api/request.hpp"
#include "common/api/settings.hpp"
#include "common/api/shutdown.hpp"
#include "common/api/status.hpp"
#include "common/api/switch.hpp"
#include "common/api/upgrade.hpp"
#include "common/base/result.hpp"
#include "common/client/address.hpp"
#include "common/client/exchange.hpp"
#include "common/client/sse.hpp"

namespace routerd::client {

struct Options {
    std::vector<Address> addresses;  ///< tried in order; see candidates()
    /// Limit of one call. Without it quick calls have 30 s and those that wait for a model none.
    std::optional<std::chrono::milliseconds> timeout;
    int stop_fd = -1;     ///< readable once the user wants to stop (Ctrl-C); not owned
    std::string api_key;  ///< for a public listener that asks for one
};

/// Which models `ls` lists.
struct ModelQuery {
    bool all = false;  ///< disabled ones too
    std::string tier;
    std::string prefix;
    std::uint64_t limit = 0;  ///< 0: all
};

struct LogQuery {
    std::string model;  ///< empty: the daemon's own log
    std::uint64_t lines = 50;
    std::optional<WallTime> since;
    std::optional<WallTime> until;
};

struct EventQuery {
    std::optional<std::uint64_t> after;
    std::uint64_t limit = 100;
    std::string model;
    std::string type;
};

struct RequestsQuery {
    std::uint64_t limit = 50;  ///< 0: as many as one list may have
    std::string model;
    std::chrono::milliseconds slow{0};  ///< only those that took so long
    bool failed = false;                ///< only those with a status from 400 on
};

enum class Wait { no, until_done };

/// The control API (common/api/openapi.json) as calls: blocking, one thread, a connection for each.
/// Errors: what the daemon answered, or unreachable (with every address that was tried, the reason
/// and how to start one), deadline_exceeded, cancelled (stop_fd), upstream_error (the daemon broke
/// off, or its answer cannot be read).
class Client {
  public:
    explicit Client(Options options);

    Result<api::Status> status();

    Result<api::ModelList> models(const ModelQuery& query);
    Result<api::Model> model(std::string_view name);
    Result<api::Model> change(std::string_view name, const api::ModelChange& change);
    Result<api::Model> reset(std::string_view name);
    Result<api::Model> pin(std::string_view name);
    Result<api::Model> unpin(std::string_view name);
    enum class Force { no, yes };
    Result<api::RemovedModel> remove_model(std::string_view name, Force force);
    Result<api::RescanResult> rescan(const std::string& dir);

    enum class Which { running, all };
    Result<api::InstanceList> instances(Which which);
    Result<api::LoadResult> load(std::string_view name, Wait wait);
    Result<api::LoadResult> restart(std::string_view name);
    Result<api::UnloadResult> unload(std::string_view name);
    Result<api::UnloadResult> unload_all();

    using StageSink = std::function<void(const api::SwitchStage&)>;
    Result<api::SwitchPlan> plan_switch(const std::string& name, bool exclusive);
    Result<api::SwitchResult> switch_to(const api::SwitchRequest& request, const StageSink& sink);

    Result<api::ProfileList> profiles(std::string_view prefix);
    Result<api::Profile> profile(std::string_view name);
    Result<api::Profile> create_profile(const api::Profile& profile);
    Result<api::Profile> replace_profile(const api::Profile& profile);
    Result<api::Profile> remove_profile(std::string_view name);
    Result<api::Profile> use_profile(std::string_view name);
    Result<api::Profile> leave_profile(std::string_view name);

    /// The newest first.
    Result<api::PullList> pulls();
    Result<api::Pull> pull(std::string_view id);
    /// Begins one, or gives the one for the same that is under way.
    Result<api::Pull> begin_pull(const api::PullRequest& request);
    Result<api::Pull> change_pull(std::string_view id, const api::PullChange& change);
    Result<api::Pull> pause_pull(std::string_view id);
    /// Changed on the way as `change` says.
    Result<api::Pull> resume_pull(std::string_view id, const api::PullChange& change);
    /// Of a finished one only the record goes.
    Result<api::Pull> remove_pull(std::string_view id);
    Result<api::PruneResult> prune(const api::PruneRequest& request);
    using PullSink = std::function<void(const api::Pull&)>;
    /// Gives it to `sink` as it goes on, and returns it once it is at rest. Errors: upstream_error
    /// when the daemon ends the stream before that; the pull goes on with the next daemon.
    Result<api::Pull> follow_pull(std::string_view id, const PullSink& sink);

    Result<api::LogList> logs(const LogQuery& query);
    using LineSink = std::function<void(const api::LogLine&)>;
    Result<void> follow_logs(const LogQuery& query, const LineSink& sink);

    Result<api::EventList> events(const EventQuery& query);
    using EventSink = std::function<void(const api::Event&)>;
    Result<void> follow_events(const EventQuery& query, const EventSink& sink);

    /// The newest first.
    Result<api::RequestList> requests(const RequestsQuery& query);
    using RequestSink = std::function<void(const api::RequestEntry&)>;
    /// The oldest of those first, then what comes.
    Result<void> follow_requests(const RequestsQuery& query, const RequestSink& sink);

    Result<api::DeviceMemoryList> memory();
    Result<api::Estimate> estimate(const api::EstimateRequest& request);
    Result<api::QueueList> queue();
    Result<api::QueuedRequest> cancel(std::string_view request);

    /// `name`: a model, or else a request's id.
    Result<api::DecisionList> explain(std::string_view name);

    Result<api::KeyList> keys();
    Result<api::NewKey> create_key(const api::KeyRequest& request);
    /// By name or id.
    Result<api::Key> revoke_key(std::string_view name);

    Result<api::ConfigList> config();
    Result<api::ReloadResult> reload_config();
    Result<api::CheckList> doctor();

    /// Returns when the daemon has begun to stop.
    /// How much the daemon logs, and until the next reload or start.
    Result<api::LogLevel> log_level();
    Result<api::LogLevel> set_log_level(const api::LogLevel& wanted);

    Result<api::ShutdownResult> shutdown(const api::ShutdownRequest& request);

    /// Returns when another process serves in the daemon's place.
    Result<api::UpgradeResult> upgrade();

    /// POST /v1/chat/completions with `"stream": true` in `body`: each event and comment goes to
    /// `sink` until it has enough.
    Result<void> chat(const std::string& body, const SseParser::Sink& sink);

    /// The address that answered last; nullopt before that.
    const std::optional<Address>& address() const noexcept { return address_; }

  private:
    Result<Socket> connect(const Patience& patience);
    Patience patience(Wait wait) const;
    Result<Exchange> begin(Request request, const Patience& patience);
    Result<std::string> call(Request request, Wait wait);
    Result<void> stream(Request request, const SseParser::Sink& sink);

    template <class T>
    Result<T> get(std::string target);
    template <class T>
    Result<T> post(std::string target, std::string body, Wait wait);

    Options options_;
    std::optional<Address> address_;
};

}  // namespace routerd::client
