#include "daemon/dialects/llama_router.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "daemon/control/request.hpp"
#include "daemon/proxy/peek.hpp"
#include "daemon/proxy/resolve.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/telemetry/event_log.hpp"

namespace routerd {
namespace {

using llama_router::Body;

constexpr unsigned not_found = 404;
constexpr unsigned unavailable = 503;

Response answer(const Body& body, unsigned status = 200) {
    return Response::json(llama_router::text_of(body), status);
}

/// The name in a body {"model": NAME}. Errors: invalid_request.
Result<std::string> model_in_body(const Exchange& exchange) {
    const auto checked = check_content_type(exchange);
    if (!checked) {
        return checked.error();
    }
    // Built into a document, a large body would take many times its bytes.
    const auto body = peek_padded(exchange.body());
    if (!body || body->model.value_or("").empty()) {
        return Error(Errc::invalid_request, "the request names no model to eject")
            .with_param("model")
            .with_hint(R"(send {"model": "NAME"})");
    }
    return *body->model;
}

Response ejected(const std::string& model) {
    return answer({{"status", "success"},
                   {"model_ejected", model},
                   {"message", "model '" + model + "' was unloaded"}});
}

Response not_ejected(std::string message, unsigned status) {
    return answer(
        {{"status", "not_found"}, {"model_ejected", nullptr}, {"message", std::move(message)}},
        status);
}

}  // namespace

LlamaRouter::LlamaRouter(Services services)
    : services_(std::move(services)), stream_ended_(services_.executor) {
    events_ = services_.events.subscribe([this](const api::Event& event) { on_event(event); });
    services_.fleet.on_change([this] { on_fleet_change(); });
}

void LlamaRouter::on_event(const api::Event& event) {
    if (event.type == "instance.ready" || event.type == "instance.adopted") {
        became_ready_.insert(event.model);  // what it took is measured after the event
    } else if (event.type == "instance.stopping") {
        remember(event.model, InstanceState::stopping);
    } else if (event.type == "instance.crashed") {
        remember(event.model, InstanceState::crashed);
    }
}

void LlamaRouter::on_fleet_change() {
    for (const auto& id : std::exchange(became_ready_, {})) {
        remember(id, InstanceState::ready);
    }
    changed_.tell();
}

void LlamaRouter::remember(const std::string& id, InstanceState state) {
    const auto snapshot = services_.catalog();
    history_.keep(
        [&snapshot](const std::string& known) { return snapshot->find(known) != nullptr; });
    const auto view = services_.fleet.view(id);
    auto held = llama_router::held_by(id, machine());
    history_.add(view, {std::chrono::system_clock::now(), state, std::move(held)});
}

Result<std::shared_ptr<const Model>> LlamaRouter::named(const Exchange& exchange) const {
    const auto& owner = exchange.param("owner");
    const auto name = (owner.empty() ? "" : owner + "/") + exchange.param("alias");
    return resolve(*services_.catalog(), services_.fleet, name, exchange.caller());
}

llama_router::Machine LlamaRouter::machine() const {
    return {services_.fleet.memory(), services_.fleet.instances()};
}

llama_router::ModelReport LlamaRouter::report(const std::string& id,
                                              const llama_router::Machine& machine) const {
    return {services_.fleet.view(id), llama_router::held_by(id, machine), history_.of(id)};
}

std::vector<std::string> LlamaRouter::enabled_models(const Caller& caller) const {
    std::vector<std::string> ids;
    for (const auto& model : services_.catalog()->models) {
        if (model->enabled && caller.may_use(model->id)) {
            ids.push_back(model->id);
        }
    }
    return ids;
}

std::vector<llama_router::ModelReport> LlamaRouter::living_models(
    const llama_router::Machine& machine, const Caller& caller) const {
    std::set<std::string> ids;
    for (const auto& instance : machine.instances) {
        if (instance.is_there() && caller.may_use(instance.model)) {
            ids.insert(instance.model);
        }
    }
    std::vector<llama_router::ModelReport> reports;
    reports.reserve(ids.size());
    for (const auto& id : ids) {
        reports.push_back(report(id, machine));
    }
    return reports;
}

Body LlamaRouter::all_status(const Caller& caller) const {
    const auto now = machine();
    std::vector<llama_router::ModelReport> reports;
    for (const auto& id : enabled_models(caller)) {
        reports.push_back(report(id, now));
    }
    return llama_router::all_status_body(services_.server(), reports);
}

Body LlamaRouter::failed(const Caller& caller) const {
    auto instances = services_.fleet.instances();
    std::erase_if(instances, [&caller](const auto& one) { return !caller.may_use(one.model); });
    return llama_router::failed_body(instances);
}

Body LlamaRouter::queues(const Caller& caller) const {
    auto totals = services_.fleet.queue_totals();
    std::erase_if(totals, [&caller](const auto& one) { return !caller.may_use(one.first); });
    return llama_router::queue_body(totals);
}

Result<Response> LlamaRouter::status(const Exchange& exchange) const {
    const auto model = named(exchange);
    if (!model) {
        return model.error();
    }
    return answer(llama_router::status_body(report((*model)->id, machine())));
}

Result<Response> LlamaRouter::vram_model(const Exchange& exchange) const {
    const auto model = named(exchange);
    if (!model) {
        return model.error();
    }
    return answer(llama_router::vram_model_body(report((*model)->id, machine())));
}

Result<Response> LlamaRouter::reset(const Exchange& exchange) {
    const auto model = named(exchange);
    if (!model) {
        return model.error();
    }
    const auto id = (*model)->id;
    const auto error = services_.fleet.reset(id);
    if (!error) {
        return error.error();
    }
    const bool had_failed = !error->empty();
    return answer({{"status", "success"},
                   {"model", id},
                   {"message", had_failed ? "the failures of '" + id +
                                                "' are forgotten: the next request "
                                                "starts it"
                                          : "'" + id + "' had not failed"},
                   {"previous_error", had_failed ? Body(*error) : Body()}});
}

asio::awaitable<Result<Response>> LlamaRouter::eject(Exchange& exchange) {
    const auto name = model_in_body(exchange);
    if (!name) {
        co_return name.error();
    }
    const auto model = resolve(*services_.catalog(), services_.fleet, *name);
    if (!model) {
        const auto error = model.error();
        if (error.code() != Errc::model_not_found) {
            co_return error;
        }
        co_return not_ejected(error.message(), not_found);
    }
    const auto id = (*model)->id;
    const auto unloaded = co_await services_.fleet.unload(id);
    if (!unloaded) {
        co_return unloaded.error();
    }
    co_return *unloaded ? ejected(id) : not_ejected("model '" + id + "' is not loaded", 200);
}

asio::awaitable<Result<Response>> LlamaRouter::health(Exchange& /*exchange*/) const {
    const auto manager = co_await services_.check();
    llama_router::HealthChecks checks;
    checks.gpu = llama_router::check_gpus(services_.fleet.memory());
    checks.manager = manager ? "ok" : "failing";
    checks.http_client = llama_router::check_servers(services_.health());
    auto response = answer(llama_router::health_body(checks), checks.good() ? 200 : unavailable);
    if (!checks.good()) {
        response.headers.emplace_back("retry-after", "1");
    }
    co_return response;
}

std::vector<Route> LlamaRouter::routes() {
    std::vector<Route> table;
    const auto add = [&table](const char* method, const char* pattern, Scope scope,
                              Handler handler) {
        table.push_back({method, pattern, scope, std::move(handler), Dialect::openai});
    };
    // What a key may not use, it does not see.
    const auto show = [&add](const char* pattern, std::function<Body(const Caller&)> body) {
        const auto handler = [body = std::move(body)](Exchange& exchange) -> Result<Response> {
            return answer(body(exchange.caller()));
        };
        add("GET", pattern, Scope::inference, reply(handler));
    };
    show("/v1/models/failed", [this](const Caller& caller) { return failed(caller); });
    show("/v1/models/status", [this](const Caller& caller) { return all_status(caller); });
    show("/v1/queue/stats", [this](const Caller& caller) { return queues(caller); });
    show("/v1/health/models", [this](const Caller& caller) {
        return llama_router::health_models_body(enabled_models(caller), services_.health());
    });
    show("/vram", [this](const Caller& caller) {
        const auto now = machine();
        return llama_router::vram_body(now.devices, living_models(now, caller));
    });
    show("/vram/summary", [this](const Caller& caller) {
        const auto now = machine();
        return llama_router::vram_summary_body(now.devices, living_models(now, caller));
    });
    add("GET", "/v1/models/status/stream", Scope::inference,
        [this](Exchange& exchange) { return stream(exchange); });
    // An alias may be owner/repo:QUANT, with its slash as it is.
    const auto of_one = [this](Exchange& exchange) { return status(exchange); };
    add("GET", "/v1/models/{alias}/status", Scope::inference, reply(of_one));
    add("GET", "/v1/models/{owner}/{alias}/status", Scope::inference, reply(of_one));
    const auto memory = [this](Exchange& exchange) { return vram_model(exchange); };
    add("GET", "/vram/models/{alias}", Scope::inference, reply(memory));
    add("GET", "/vram/models/{owner}/{alias}", Scope::inference, reply(memory));
    const auto forget = [this](Exchange& exchange) { return reset(exchange); };
    add("POST", "/v1/models/{alias}/reset", Scope::admin, reply(forget));
    add("POST", "/v1/models/{owner}/{alias}/reset", Scope::admin, reply(forget));
    const auto unload = [this](Exchange& exchange) { return eject(exchange); };
    add("POST", "/v1/models/eject", Scope::admin, reply(unload));
    const auto checks = [this](Exchange& exchange) { return health(exchange); };
    add("GET", "/health", Scope::open, reply(checks));
    return table;
}

}  // namespace routerd
