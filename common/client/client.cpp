#include "common/client/client.hpp"

#include "common/api/codec.hpp"
#include "common/api/error_body.hpp"
#include "common/client/targets.hpp"

namespace routerd::client {
namespace {

template <class T>
Result<T> understood(const Result<std::string>& body) {
    if (!body) {
        return body.error();
    }
    auto value = api::decode<T>(*body);
    if (!value) {
        return Error(Errc::upstream_error, value.error().message())
            .within("the daemon's answer cannot be read")
            .with_hint("are routerd and routerctl of the same version? see: routerctl version");
    }
    return value;
}

/// The error that a stream ended with: `event: error`.
Error stream_error(const std::string& data) {
    const auto body = api::decode<api::ErrorBody>(data);
    return body ? body->to_error(500) : Error(Errc::upstream_error, "the stream ended in an error");
}

}  // namespace

template <class T>
Result<T> Client::get(std::string target) {
    return understood<T>(call(Request("GET", std::move(target)), Wait::no));
}

template <class T>
Result<T> Client::post(std::string target, std::string body, Wait wait) {
    return understood<T>(call(Request("POST", std::move(target), std::move(body)), wait));
}

Result<api::Status> Client::status() {
    return get<api::Status>(at("status"));
}

Result<api::ModelList> Client::models(const ModelQuery& query) {
    auto target = at("models");
    if (query.all) {
        add(target, "all", "true");
    }
    add_text(target, "tier", query.tier);
    add_text(target, "prefix", query.prefix);
    if (query.limit != 0) {
        add(target, "limit", std::to_string(query.limit));
    }
    return get<api::ModelList>(target);
}

Result<api::Model> Client::model(std::string_view name) {
    return get<api::Model>(at("models", name));
}

Result<api::Model> Client::change(std::string_view name, const api::ModelChange& change) {
    Request request("PATCH", at("models", name), api::encode(change));
    return understood<api::Model>(call(std::move(request), Wait::no));
}

Result<api::Model> Client::reset(std::string_view name) {
    return post<api::Model>(at("models", name, "reset"), "", Wait::no);
}

Result<api::Model> Client::pin(std::string_view name) {
    return post<api::Model>(at("models", name, "pin"), "", Wait::no);
}

Result<api::Model> Client::unpin(std::string_view name) {
    return post<api::Model>(at("models", name, "unpin"), "", Wait::no);
}

/// Files are gone after its requests, however long these take.
Result<api::RemovedModel> Client::remove_model(std::string_view name, Force force) {
    auto target = at("models", name);
    if (force == Force::yes) {
        add(target, "force", "true");
    }
    return understood<api::RemovedModel>(
        call(Request("DELETE", std::move(target)), Wait::until_done));
}

Result<api::RescanResult> Client::rescan(const std::string& dir) {
    const api::RescanRequest request{.dir = dir};
    return post<api::RescanResult>(at("rescan"), api::encode(request), Wait::until_done);
}

Result<api::InstanceList> Client::instances(Which which) {
    auto target = at("instances");
    if (which == Which::all) {
        add(target, "all", "true");
    }
    return get<api::InstanceList>(target);
}

Result<api::LoadResult> Client::load(std::string_view name, Wait wait) {
    auto target = at("models", name, "load");
    add(target, "wait", wait == Wait::no ? "false" : "true");
    return post<api::LoadResult>(target, "", wait);
}

Result<api::LoadResult> Client::restart(std::string_view name) {
    return post<api::LoadResult>(at("models", name, "restart"), "", Wait::until_done);
}

Result<api::UnloadResult> Client::unload(std::string_view name) {
    return post<api::UnloadResult>(at("models", name, "unload"), "", Wait::until_done);
}

Result<api::UnloadResult> Client::unload_all() {
    return post<api::UnloadResult>(at("unload"), "", Wait::until_done);
}

Result<api::SwitchPlan> Client::plan_switch(const std::string& name, bool exclusive) {
    const api::SwitchRequest request{.model = name, .exclusive = exclusive, .dry_run = true};
    return post<api::SwitchPlan>(at("switch"), api::encode(request), Wait::no);
}

Result<api::SwitchResult> Client::switch_to(const api::SwitchRequest& request,
                                            const StageSink& sink) {
    if (!request.wait) {
        return post<api::SwitchResult>(at("switch"), api::encode(request), Wait::no);
    }
    Result<api::SwitchResult> outcome =
        Error(Errc::upstream_error, "the daemon broke off before the switch was done");
    const auto take = [&](const SseEvent& event) {
        if (event.name == "stage") {
            const auto stage = api::decode<api::SwitchStage>(event.data);
            if (stage) {
                sink(*stage);
            }
        } else if (event.name == "done") {
            outcome = understood<api::SwitchResult>(event.data);
            return false;
        } else if (event.name == "error") {
            outcome = stream_error(event.data);
            return false;
        }
        return true;
    };
    Request post("POST", at("switch"), api::encode(request));
    const auto streamed = stream(std::move(post), take);
    return streamed ? outcome : streamed.error();
}

Result<api::ProfileList> Client::profiles(std::string_view prefix) {
    auto target = at("profiles");
    add_text(target, "prefix", prefix);
    return get<api::ProfileList>(target);
}

Result<api::Profile> Client::profile(std::string_view name) {
    return get<api::Profile>(at("profiles", name));
}

Result<api::Profile> Client::create_profile(const api::Profile& profile) {
    return post<api::Profile>(at("profiles"), api::encode(profile), Wait::no);
}

Result<api::Profile> Client::replace_profile(const api::Profile& profile) {
    Request request("PUT", at("profiles", profile.name), api::encode(profile));
    return understood<api::Profile>(call(std::move(request), Wait::no));
}

Result<api::Profile> Client::remove_profile(std::string_view name) {
    Request request("DELETE", at("profiles", name));
    return understood<api::Profile>(call(std::move(request), Wait::no));
}

Result<api::Profile> Client::use_profile(std::string_view name) {
    return post<api::Profile>(at("profiles", name, "activate"), "", Wait::until_done);
}

Result<api::Profile> Client::leave_profile(std::string_view name) {
    return post<api::Profile>(at("profiles", name, "deactivate"), "", Wait::until_done);
}

Result<api::PullList> Client::pulls() {
    return get<api::PullList>(at("pulls"));
}

Result<api::Pull> Client::pull(std::string_view id) {
    return get<api::Pull>(at("pulls", id));
}

Result<api::Pull> Client::begin_pull(const api::PullRequest& request) {
    return post<api::Pull>(at("pulls"), api::encode(request), Wait::no);
}

Result<api::Pull> Client::change_pull(std::string_view id, const api::PullChange& change) {
    Request request("PATCH", at("pulls", id), api::encode(change));
    return understood<api::Pull>(call(std::move(request), Wait::no));
}

Result<api::Pull> Client::pause_pull(std::string_view id) {
    return post<api::Pull>(at("pulls", id, "pause"), "", Wait::no);
}

Result<api::Pull> Client::resume_pull(std::string_view id, const api::PullChange& change) {
    return post<api::Pull>(at("pulls", id, "resume"), api::encode(change), Wait::no);
}

Result<api::Pull> Client::remove_pull(std::string_view id) {
    Request request("DELETE", at("pulls", id));
    return understood<api::Pull>(call(std::move(request), Wait::no));
}

Result<api::PruneResult> Client::prune(const api::PruneRequest& request) {
    return post<api::PruneResult>(at("prune"), api::encode(request), Wait::until_done);
}

Result<api::Pull> Client::follow_pull(std::string_view id, const PullSink& sink) {
    Result<api::Pull> outcome =
        Error(Errc::upstream_error, "the daemon broke off before the pull was done");
    const auto take = [&](const SseEvent& event) {
        if (event.name == "error") {
            outcome = stream_error(event.data);
            return false;
        }
        const auto pull = api::decode<api::Pull>(event.data);
        if (event.name != "pull" || !pull) {
            return true;
        }
        sink(*pull);
        if (!api::is_at_rest(*pull)) {
            return true;
        }
        outcome = *pull;
        return false;
    };
    auto target = at("pulls", id);
    add(target, "follow", "true");
    const auto streamed = stream(Request("GET", std::move(target)), take);
    return streamed ? outcome : streamed.error();
}

Result<api::LogList> Client::logs(const LogQuery& query) {
    return get<api::LogList>(log_target(query));
}

Result<void> Client::follow_logs(const LogQuery& query, const LineSink& sink) {
    auto target = log_target(query);
    add(target, "follow", "true");
    const auto take = [&sink](const SseEvent& event) {
        const auto line = api::decode<api::LogLine>(event.data);
        if (event.name == "log" && line) {
            sink(*line);
        }
        return true;
    };
    return stream(Request("GET", std::move(target)), take);
}

Result<api::EventList> Client::events(const EventQuery& query) {
    return get<api::EventList>(event_target(query));
}

Result<void> Client::follow_events(const EventQuery& query, const EventSink& sink) {
    auto target = event_target(query);
    add(target, "follow", "true");
    const auto take = [&sink](const SseEvent& event) {
        const auto told = api::decode<api::Event>(event.data);
        if (event.name == "event" && told) {
            sink(*told);
        }
        return true;
    };
    return stream(Request("GET", std::move(target)), take);
}

Result<api::RequestList> Client::requests(const RequestsQuery& query) {
    return get<api::RequestList>(requests_target(query));
}

Result<void> Client::follow_requests(const RequestsQuery& query, const RequestSink& sink) {
    auto target = requests_target(query);
    add(target, "follow", "true");
    const auto take = [&sink](const SseEvent& event) {
        const auto told = api::decode<api::RequestEntry>(event.data);
        if (event.name == "request" && told) {
            sink(*told);
        }
        return true;
    };
    return stream(Request("GET", std::move(target)), take);
}

Result<api::DeviceMemoryList> Client::memory() {
    return get<api::DeviceMemoryList>(at("memory"));
}

Result<api::Estimate> Client::estimate(const api::EstimateRequest& request) {
    return post<api::Estimate>(at("estimate"), api::encode(request), Wait::no);
}

Result<api::QueueList> Client::queue() {
    return get<api::QueueList>(at("queue"));
}

Result<api::QueuedRequest> Client::cancel(std::string_view request) {
    Request remove("DELETE", at("queue", request));
    return understood<api::QueuedRequest>(call(std::move(remove), Wait::no));
}

Result<api::DecisionList> Client::explain(std::string_view name) {
    auto target = at("explain");
    add(target, "name", name);
    return get<api::DecisionList>(target);
}

Result<api::KeyList> Client::keys() {
    return get<api::KeyList>(at("keys"));
}

Result<api::NewKey> Client::create_key(const api::KeyRequest& request) {
    return post<api::NewKey>(at("keys"), api::encode(request), Wait::no);
}

Result<api::Key> Client::revoke_key(std::string_view name) {
    return understood<api::Key>(call(Request("DELETE", at("keys", name)), Wait::no));
}

Result<api::ConfigList> Client::config() {
    return get<api::ConfigList>(at("config"));
}

Result<api::ReloadResult> Client::reload_config() {
    return post<api::ReloadResult>(at("config", "reload"), "", Wait::until_done);
}

Result<api::LogLevel> Client::log_level() {
    return get<api::LogLevel>(at("log-level"));
}

Result<api::LogLevel> Client::set_log_level(const api::LogLevel& wanted) {
    Request request("PUT", at("log-level"), api::encode(wanted));
    return understood<api::LogLevel>(call(request, Wait::no));
}

Result<api::UpgradeResult> Client::upgrade() {
    return post<api::UpgradeResult>(at("upgrade"), "", Wait::until_done);
}

Result<api::ShutdownResult> Client::shutdown(const api::ShutdownRequest& request) {
    return post<api::ShutdownResult>(at("shutdown"), api::encode(request), Wait::no);
}

Result<api::CheckList> Client::doctor() {
    return get<api::CheckList>(at("doctor"));
}

Result<void> Client::chat(const std::string& body, const SseParser::Sink& sink) {
    return stream(Request("POST", "/v1/chat/completions", body), sink);
}

}  // namespace routerd::client
