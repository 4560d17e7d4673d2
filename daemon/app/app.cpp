#include "daemon/app/app.hpp"

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "common/base/log.hpp"
#include "common/base/log_about.hpp"
#include "common/base/text.hpp"
#include "daemon/app/certificate.hpp"
#include "daemon/app/finished.hpp"
#include "daemon/app/notify.hpp"
#include "daemon/dialects/chat_proxy.hpp"
#include "daemon/dialects/metrics.hpp"
#include "daemon/dialects/openai_models.hpp"
#include "daemon/dialects/telemetry.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/telemetry/logging.hpp"

namespace routerd {
namespace {

api::EventSink sink_of(EventLog& events) {
    return [&events](api::Event event) { events.append(std::move(event)); };
}

}  // namespace

Result<std::unique_ptr<App>> App::build(LoadedConfig loaded, LoadOptions load, Program program,
                                        std::unique_ptr<Predecessor> predecessor) {
    auto app = make(std::move(loaded), std::move(load), predecessor.get());
    if (app) {
        (*app)->program_ = std::move(program);
        (*app)->predecessor_ = std::move(predecessor);
    } else if (predecessor) {
        predecessor->refuse(app.error());
    }
    return app;
}

Result<std::unique_ptr<App>> App::make(LoadedConfig loaded, LoadOptions load,
                                       Predecessor* predecessor) {
    const auto& config = loaded.config;
    auto handed = take_handed_over();
    if (!handed) {
        return handed.error();
    }
    auto doors = Doors::plan(config, std::move(*handed));
    if (!doors) {
        return doors.error();
    }
    const auto configured = Authenticator::make(config, doors->loopback_only());
    if (!configured) {
        return configured.error();
    }
    auto certificate = load_certificate(config.http);
    if (!certificate) {
        return certificate.error();
    }
    Predecessor::Inheritance inheritance;
    if (predecessor != nullptr) {
        auto left = predecessor->take_over(config.state.dir);
        if (!left) {
            return left.error();
        }
        inheritance = std::move(*left);
        doors = Doors::plan(config, std::exchange(inheritance.listeners, {}));
        if (!doors) {
            return doors.error();
        }
    }
    auto lock = predecessor != nullptr
                    ? StateLock::take_over(std::move(inheritance.lock), config.state.dir)
                    : StateLock::acquire(config.state.dir);
    if (!lock) {
        return lock.error();
    }
    const auto made = make_private_directory(config.state.runtime_dir);
    if (!made) {
        return made.error();
    }
    auto store = Store::open(config.state.dir);
    if (!store) {
        return store.error();
    }
    std::unique_ptr<App> app(new App(std::move(loaded), std::move(load), std::move(*lock),
                                     std::move(*store), std::move(*doors)));
    app->use(std::move(*certificate));
    app->inheritance_ = std::move(inheritance);
    return app;
}

void App::use(std::optional<TlsContext> certificate) {
    if (certificate) {
        server_.use(std::move(*certificate));
    }
}

App::App(LoadedConfig loaded, LoadOptions load, StateLock lock, std::unique_ptr<Store> store,
         Doors doors)
    : loaded_(std::move(loaded)),
      load_(std::move(load)),
      lock_(std::move(lock)),
      store_(std::move(store)),
      log_(loop_.get_executor()),
      telemetry_(loop_.get_executor(), *store_, events_),
      catalog_(loop_.get_executor(), *store_, pool_, loaded_.config, sink_of(events_)),
      rows_(*store_),
      corrections_(*store_),
      fleet_({.executor = loop_.get_executor(),
              .pool = pool_,
              .rows = rows_,
              .events = sink_of(events_),
              .corrections = &corrections_},
             loaded_.config),
      proxy_({.loop = io_,
              .gate = fleet_,
              .catalog = [this] { return catalog_.snapshot(); },
              .account = [this](const Record& record) { log_record(record); }},
             loaded_.config),
      keys_(*store_),
      pulls_({.executor = loop_.get_executor(),
              .store = *store_,
              .pool = pool_,
              .catalog = catalog_,
              .events = [this](api::Event event) { events_.append(std::move(event)); },
              .environment = process_environment(),
              .memory = [this] { return memory_for_a_model(); }},
             loaded_.config),
      health_(*store_),
      control_({.executor = loop_.get_executor(),
                .pool = pool_,
                .store = *store_,
                .catalog = catalog_,
                .fleet = fleet_,
                .events = events_,
                .log = log_,
                .requests = telemetry_.history(),
                .keys = keys_,
                .pulls = pulls_,
                .config = [this]() -> const LoadedConfig& { return loaded_; },
                .daemon = [this] { return facts(); },
                .reload = [this] { return reload(); },
                .shutdown =
                    [this](bool keep_models) {
                        spdlog::info("asked to stop{}", keep_models ? ", without the models" : "");
                        begin_stop(keep_models ? Fleet::OnShutdown::leave_running
                                               : Fleet::OnShutdown::stop_servers);
                    },
                .upgrade = [this](const Connection* asker) { return upgrade(asker); }}),
      llama_router_({.executor = loop_.get_executor(),
                     .fleet = fleet_,
                     .events = events_,
                     .catalog = [this] { return catalog_.snapshot(); },
                     .health = [this] { return fleet_.health(); },
                     .server = [this] { return server_report(); },
                     .check = [this] { return health_.check(); }}),
      server_(io_, routes_,
              {.http = loaded_.config.http,
               .authorize = nullptr,  // let_in_by_keys(), before anybody is served
               .place = [this](Arrival& arrival) { return place(arrival); },
               .pass_on = nullptr}),
      doors_(std::move(doors)),
      tasks_(loop_.get_executor(), "daemon task"),
      watch_(loop_.get_executor(), "watch of the models' folders"),
      predecessors_(loop_.get_executor(), "what the routerd before wants"),
      successor_gate_(loop_.get_executor()),
      successors_(loop_.get_executor(), "what the next routerd says"),
      reloads_(loop_.get_executor()),
      signals_(loop_, SIGTERM, SIGINT, SIGHUP),
      stop_(loop_.get_executor()) {}

App::~App() {
    store_->join();
    pool_.join();
}

asio::awaitable<Result<Authenticator>> App::read_authenticator(Config config, bool is_local) {
    auto read = [config, is_local, kept = keys_.keys()] {
        return Authenticator::make(config, is_local, kept);
    };
    auto made = co_await run_on(pool_, std::move(read));
    if (made && made->needs_key() && !made->has_keys()) {
        co_return Error(Errc::forbidden,
                        "listening beyond this machine without a key would give it to everybody")
            .with_hint(
                "set [auth] api_key; or listen on 127.0.0.1 and make one with 'routerctl keys "
                "create'; or start with --insecure-no-auth");
    }
    co_return made;
}

void App::let_in(Authenticator authenticator) {
    authenticator_ = std::make_shared<const Authenticator>(std::move(authenticator));
    const Authorize authorize = [shared = authenticator_](const http::RequestHead& head,
                                                          const Route* route, Scheme scheme) {
        return shared->check(head, route, scheme);
    };
    server_.use(authorize);
    for (const auto& worker : workers_) {
        worker->use(authorize);
    }
}

/// From the next request on, on every loop.
void App::let_in_by_kept_keys() {
    auto renewed = authenticator_->with(keys_.keys());
    if (!renewed) {
        return spdlog::error("use the keys: {}", renewed.error().message());
    }
    let_in(std::move(*renewed));
}

void App::report_store() {
    const auto& report = store_->report();
    if (!report.moved_aside.empty()) {
        spdlog::error("the database was damaged ({}); it lies at '{}' now and a new one was begun",
                      report.problem, report.moved_aside);
        problems_.push_back("the database was damaged and lies at '" + report.moved_aside +
                            "' now. Models are those on disk, settings those of the configuration; "
                            "lost are overrides, profiles, the default model that was switched to, "
                            "what loads taught about memory, and the history of requests");
    }
    if (report.migrated_from != 0) {
        spdlog::info(
            "the database was brought from schema {} to this version's; a copy of the old "
            "one is at '{}'",
            report.migrated_from, report.backup);
    }
}

void App::add_routes() {
    routes_.add(health_.routes());
    routes_.add(proxy_.routes());
    routes_.add(control_.routes());
    routes_.add(llama_router_.routes());
    routes_.add(metrics_routes(fleet_, telemetry_));
    routes_.add(telemetry_routes(telemetry_.history()));
    routes_.add(openai_model_routes([this] { return catalog_.snapshot(); }, fleet_));
    ChatProxyPulls pulls;
    pulls.all = [this] { return pulls_.all(); };
    pulls.begin = [this](api::PullRequest request, bool is_local) {
        return pulls_.begin(std::move(request), is_local);
    };
    routes_.add(chat_proxy_routes(std::move(pulls)));
}

/// A model may be spread over all devices.
std::optional<std::uint64_t> App::memory_for_a_model() const {
    std::uint64_t usable = 0;
    for (const auto& device : fleet_.memory()) {
        usable += device.usable;
    }
    return usable == 0 ? std::nullopt : std::optional(usable);
}

DaemonFacts App::facts() const {
    DaemonFacts facts;
    facts.started = started_;
    facts.uptime = since(started_at_);
    facts.stopping = stopping_ || upgrading_;
    facts.addresses = server_.addresses();
    facts.active = server_.active();
    for (const auto& worker : workers_) {
        facts.active += worker->active();
    }
    facts.requests = requests_;
    facts.failed = failed_;
    facts.problems = problems_;
    return facts;
}

llama_router::ServerReport App::server_report() const {
    const auto uptime =
        std::chrono::duration_cast<std::chrono::seconds>(steady_now() - started_at_);
    return {stopping_ ? "stopping" : problems_.empty() ? "running" : "degraded", uptime};
}

void App::log_record(const Record& record) {
    ++requests_;
    failed_ += record.status >= 400 ? 1 : 0;
    if (leaving_) {
        pass_to_successor(record);
    } else {
        telemetry_.record(to_finished(record));
    }
    const LogAbout about(record.request_id);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(record.took).count();
    if (record.error.empty()) {
        spdlog::debug("{} {} {} {} ms, queued {} ms, load {} ms, {} bytes", record.endpoint,
                      record.model, record.status, took, record.queued.count(),
                      record.loaded.count(), record.bytes);
    } else {
        spdlog::warn("{} {} {} {} ms: {}", escaped(record.endpoint), record.model, record.status,
                     took, escaped(record.error));
    }
}

}  // namespace routerd
