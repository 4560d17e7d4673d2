// The part of the daemon that starts, reloads and stops it.
#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/log.hpp"
#include "daemon/app/app.hpp"
#include "daemon/app/notify.hpp"
#include "daemon/telemetry/logging.hpp"

namespace routerd {
namespace {

/// So that one more, while the parts are taken down, is not the process's death: it ends anyway.
void hold_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

asio::awaitable<Result<void>> App::start() {
    const auto read = co_await keys_.start();
    if (!read) {
        co_return read.error();
    }
    auto authenticator = co_await read_authenticator(loaded_.config, doors_.loopback_only());
    if (!authenticator) {
        co_return authenticator.error();
    }
    // So that a port that is taken is said before a long scan. Who connects already waits.
    auto listeners = doors_.open(io_);
    if (!listeners) {
        co_return listeners.error();
    }
    const auto remembered = co_await telemetry_.start();
    if (!remembered) {
        co_return remembered.error();
    }
    const auto scanned = co_await catalog_.start();
    if (!scanned) {
        co_return scanned.error();
    }
    fleet_.set_catalog(catalog_.snapshot());
    start_workers();
    let_in(std::move(*authenticator));
    keys_.on_change([this] { let_in_by_kept_keys(); });
    catalog_.on_change([this] {
        fleet_.set_catalog(catalog_.snapshot());
        for (const auto& worker : workers_) {
            worker->set_catalog(catalog_.snapshot());
        }
        llama_router_.changed();
    });
    const auto adopted = co_await fleet_.adopt(std::move(inheritance_.held));
    if (!adopted) {
        co_return adopted.error();
    }
    const auto resumed = co_await pulls_.start();
    if (!resumed) {
        co_return resumed.error();
    }
    for (auto& listener : listeners->control) {
        server_.listen(std::move(listener), true);
    }
    for (auto& listener : listeners->everybody) {
        server_.listen(std::move(listener), false);
    }
    health_.set_ready(true);
    watch_.spawn(catalog_.watch());
    if (predecessor_) {  // which speaks to the service manager until it has heard of us
        predecessors_.spawn(serve_predecessor());
    } else {
        notify_service_manager("READY=1\nSTATUS=serving");
    }
    fleet_.preload(catalog_.preload());
    for (const auto& address : server_.addresses()) {
        spdlog::info("listening on {}", address);
    }
    co_return boost::system::in_place_value;
}

/// The core loop serves connections too: it is the first of them.
void App::start_workers() {
    const auto wanted = loaded_.config.http.workers;
    const auto loops = wanted != 0 ? wanted : std::max(std::thread::hardware_concurrency(), 1U);
    for (unsigned i = 1; i < loops; ++i) {
        Worker::Services services{
            .core = loop_.get_executor(),
            .gate = fleet_,
            .routes = routes_,
            .authorize = nullptr,  // let_in_by_keys()
            .pass_on = [this](Arrival arrival) { server_.serve(std::move(arrival)); },
            .account = [this](Record&& record) { log_record(record); }};
        workers_.push_back(
            std::make_unique<Worker>(std::move(services), loaded_.config, catalog_.snapshot()));
    }
}

/// To the loop with the fewest connections, the core's first: there nothing is said by messages.
bool App::place(Arrival& arrival) {
    Worker* best = nullptr;
    auto fewest = server_.connections();
    for (const auto& worker : workers_) {
        const auto has = worker->connections();
        if (has < fewest) {
            fewest = has;
            best = worker.get();
        }
    }
    if (best != nullptr) {
        best->serve(std::move(arrival));
    }
    return best != nullptr;
}

/// A sign of life while all loops take turns: one that hangs keeps it from being given.
asio::awaitable<void> App::feed_watchdog(std::chrono::microseconds limit) {
    constexpr int signs = 3;  // in the time that the service manager waits
    asio::steady_timer timer(loop_);
    for (;;) {
        timer.expires_after(limit / signs);
        const auto [ec] = co_await timer.async_wait(no_throw);
        if (ec || retires_) {  // the process that has taken over gives them now
            co_return;
        }
        for (const auto& worker : workers_) {
            co_await worker->take_turn();
        }
        notify_service_manager("WATCHDOG=1");
    }
}

asio::awaitable<void> App::watch_signals() {
    for (;;) {
        auto [ec, number] = co_await signals_.async_wait(no_throw);
        if (ec) {
            co_return;
        }
        if (number == SIGHUP) {
            co_await reload_by_signal();
        } else if (number == SIGUSR1) {
            reopen();
        } else if (number == SIGUSR2) {
            tasks_.spawn(upgrade_by_signal());
        } else {
            heed(number);
        }
    }
}

void App::reopen() {
    const auto reopened = reopen_log();
    if (reopened) {
        spdlog::info("the log was opened again");
    } else {
        spdlog::error("{}", reopened.error().message());
    }
}

/// One that asks it to end.
void App::heed(int signal) {
    if (!stopping_ && !retires_) {
        spdlog::info("signal {}: stopping", signal);
        return begin_stop(Fleet::OnShutdown::stop_servers);
    }
    spdlog::warn("signal {}: not waiting for requests any more", signal);
    if (!retires_) {
        fleet_.hurry();
    }
    server_.cut();
    for (const auto& worker : workers_) {
        worker->cut();
    }
}

asio::awaitable<void> App::end_connections() {
    server_.cut();
    for (const auto& worker : workers_) {
        worker->cut();
    }
    for (const auto& worker : workers_) {
        co_await worker->wait();
    }
    co_await server_.wait();  // last: a worker may have passed a connection on
    proxy_.close();
}

void App::begin_stop(Fleet::OnShutdown servers) {
    servers_ = servers;
    stopping_ = true;
    if (upgrading_) {
        stop_asked_ = true;
    } else {
        stop_.notify();
    }
}

asio::awaitable<void> App::stop() {
    stopping_ = true;
    health_.set_ready(false);
    notify_service_manager("STOPPING=1\nSTATUS=draining");
    llama_router_.changed();
    server_.drain();
    for (const auto& worker : workers_) {
        worker->drain();
    }
    co_await control_.stop();
    co_await fleet_.shutdown(servers_);
    if (predecessor_) {
        co_await predecessor_->close();
        co_await predecessors_.wait();
    }
    co_await pulls_.stop();
    co_await llama_router_.stop();              // its watchers have seen the servers end
    constexpr std::chrono::seconds to_read(1);  // for those whom the daemon itself answers
    co_await wait_for_own(nullptr, to_read);
    co_await end_connections();
    co_await telemetry_.stop();  // the last requests are over
}

asio::awaitable<void> App::main() {
    signals_.add(SIGUSR1);
    signals_.add(SIGUSR2);
    tasks_.spawn(watch_signals());
    if (const auto limit = watchdog_limit(); limit.count() > 0) {
        tasks_.spawn(feed_watchdog(limit));
    }
    outcome_ = co_await start();
    if (outcome_) {
        co_await stop_.wait();
    } else if (predecessor_) {
        predecessor_->refuse(outcome_.error());
    }
    if (retires_) {
        co_await retire();
    } else {
        co_await stop();
    }
    signals_.cancel();
    tasks_.cancel();
    watch_.cancel();
    co_await tasks_.wait();
    co_await watch_.wait();
    co_await catalog_.stop();
}

Result<void> App::run() {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGIO, SIG_IGN);  // the catalogue's lease probe may be told of a writer
    attach(log_);
    report_store();
    add_routes();
    asio::co_spawn(loop_, main(), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop_.run();
    hold_signals();
    return outcome_;
}

}  // namespace routerd
