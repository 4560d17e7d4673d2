#include "common/api/switch.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/event_stream.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/switch_job.hpp"
#include "daemon/control/views.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

/// The request with its model's id in the place of the name. Errors: as the API says.
Result<api::SwitchRequest> read_request(Control& control, const Exchange& exchange) {
    auto request = body_of<api::SwitchRequest>(exchange);
    if (!request) {
        return request.error();
    }
    if (request->model.empty()) {
        return Error(Errc::invalid_request, "the request names no model").with_param("model");
    }
    const auto model = find_model(control, request->model);
    if (!model) {
        return model.error();
    }
    if (!(*model)->enabled) {
        return Error(Errc::conflict, "'" + (*model)->id + "' is disabled")
            .with_hint("routerctl enable " + (*model)->id);
    }
    request->model = (*model)->id;
    return request;
}

/// Without waiting: the default is changed, the rest goes on by itself.
asio::awaitable<Result<Response>> switch_later(Control& control, api::SwitchRequest request) {
    auto& services = control.services();
    api::SwitchResult result;
    result.model = request.model;
    const auto begun = steady_now();
    const auto previous = services.catalog.snapshot()->default_model;
    const auto kept = co_await services.catalog.set_default(request.model);
    if (!kept) {
        co_return kept.error();
    }
    if (request.exclusive) {
        for (const auto& eviction : services.fleet.preview(request.model, true).evictions) {
            control.tasks().spawn(make_way(services.fleet, eviction.model));
        }
    }
    const auto started = services.fleet.start_load(request.model);
    if (!started) {
        co_return started.error();
    }
    if (!previous.empty()) {
        result.previous = previous;
    }
    result.state = to_string(services.fleet.model_state(request.model));
    result.total_ms = since(begun);
    co_return json_reply(result, 202);
}

asio::awaitable<void> run_job(std::shared_ptr<SwitchJob> job) {
    co_await job->run();
}

/// Sends what the job tells until it is over or the client has left.
asio::awaitable<void> follow(EventStream& stream, SwitchJob& job) {
    std::size_t sent = 0;
    bool alive = true;
    while (alive) {
        while (sent < job.told().size()) {
            const auto told = job.told()[sent++];
            alive = co_await stream.send(told.name, told.data);
            if (!alive) {
                co_return;
            }
        }
        if (job.over()) {
            co_await stream.finish();
            co_return;
        }
        alive = co_await stream.wait();
    }
}

asio::awaitable<void> switch_and_tell(Control& control, Exchange& exchange,
                                      api::SwitchRequest request) {
    const auto job =
        std::make_shared<SwitchJob>(control, std::move(request.model), request.exclusive);
    control.tasks().spawn(run_job(job));
    EventStream stream(exchange, control.services().executor);
    job->on_told([&stream] { stream.wake(); });
    const bool begun = co_await stream.begin();
    if (begun) {
        co_await follow(stream, *job);
    }
    job->on_told(nullptr);
}

}  // namespace

asio::awaitable<void> switch_model(Control& control, Exchange& exchange) {
    auto request = read_request(control, exchange);
    if (request && request->wait && !request->dry_run) {
        co_await switch_and_tell(control, exchange, std::move(*request));
        co_return;
    }
    Result<Response> answer = Error();
    if (!request) {
        answer = request.error();
    } else if (request->dry_run) {
        const auto plan = plan_switch(control.services().fleet, request->model, request->exclusive);
        answer = json_reply(plan);
    } else {
        answer = co_await switch_later(control, std::move(*request));
    }
    auto response = answer ? std::move(*answer) : control_error(answer.error());
    co_await exchange.respond(std::move(response));
}

}  // namespace routerd::control
