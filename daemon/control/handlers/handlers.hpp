#pragma once

#include "common/base/result.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

class Control;

/// The handlers of the control API, by noun; routes.cpp says which path is whose. Each takes what
/// the request says, asks a service and shows what it answered.
namespace control {

using Reply = asio::awaitable<Result<Response>>;

// models.cpp
Result<Response> list_models(Control& control, Exchange& exchange);
Reply get_model(Control& control, Exchange& exchange);
Reply change_model(Control& control, Exchange& exchange);
Reply pin_model(Control& control, Exchange& exchange);
Reply unpin_model(Control& control, Exchange& exchange);
Reply rescan(Control& control, Exchange& exchange);

// instances.cpp
Result<Response> list_instances(Control& control, Exchange& exchange);
Reply load_model(Control& control, Exchange& exchange);
Reply unload_model(Control& control, Exchange& exchange);
Reply unload_all(Control& control, Exchange& exchange);
Reply restart_model(Control& control, Exchange& exchange);
Reply reset_model(Control& control, Exchange& exchange);

// switch.cpp: answers by itself, for it may be a stream
asio::awaitable<void> switch_model(Control& control, Exchange& exchange);

// memory.cpp, estimate.cpp, queue.cpp, explain.cpp
Result<Response> list_memory(Control& control, Exchange& exchange);
Result<Response> estimate(Control& control, Exchange& exchange);
Result<Response> list_queue(Control& control, Exchange& exchange);
Result<Response> cancel_queued(Control& control, Exchange& exchange);
Result<Response> explain(Control& control, Exchange& exchange);

// profiles.cpp
Reply list_profiles(Control& control, Exchange& exchange);
Reply get_profile(Control& control, Exchange& exchange);
Reply create_profile(Control& control, Exchange& exchange);
Reply replace_profile(Control& control, Exchange& exchange);
Reply remove_profile(Control& control, Exchange& exchange);
Reply activate_profile(Control& control, Exchange& exchange);
Reply deactivate_profile(Control& control, Exchange& exchange);

// keys.cpp
Result<Response> list_keys(Control& control, Exchange& exchange);
Reply create_key(Control& control, Exchange& exchange);
Reply revoke_key(Control& control, Exchange& exchange);

// pulls.cpp; get_pull may be a stream
Result<Response> list_pulls(Control& control, Exchange& exchange);
Reply begin_pull(Control& control, Exchange& exchange);
asio::awaitable<void> get_pull(Control& control, Exchange& exchange);
Reply change_pull(Control& control, Exchange& exchange);
Reply pause_pull(Control& control, Exchange& exchange);
Reply resume_pull(Control& control, Exchange& exchange);
Reply remove_pull(Control& control, Exchange& exchange);

// removal.cpp
Reply remove_model(Control& control, Exchange& exchange);
Reply prune(Control& control, Exchange& exchange);

// logs.cpp, events.cpp, requests.cpp: streams too
asio::awaitable<void> model_log(Control& control, Exchange& exchange);
asio::awaitable<void> instance_log(Control& control, Exchange& exchange);
asio::awaitable<void> daemon_log(Control& control, Exchange& exchange);
asio::awaitable<void> list_events(Control& control, Exchange& exchange);
asio::awaitable<void> list_requests(Control& control, Exchange& exchange);

// status.cpp, doctor.cpp, config.cpp, shutdown.cpp
Result<Response> status(Control& control, Exchange& exchange);
Reply doctor(Control& control, Exchange& exchange);
Result<Response> list_config(Control& control, Exchange& exchange);
Reply reload_config(Control& control, Exchange& exchange);
Result<Response> get_log_level(Control& control, Exchange& exchange);
Result<Response> put_log_level(Control& control, Exchange& exchange);
Result<Response> shut_down(Control& control, Exchange& exchange);
Reply upgrade(Control& control, Exchange& exchange);

}  // namespace control
}  // namespace routerd
