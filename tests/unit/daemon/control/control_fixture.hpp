#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/client/client.hpp"
#include "common/config/load.hpp"
#include "daemon/auth/key_ring.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/http/server.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/process/identity.hpp"
#include "daemon/pull/pulls.hpp"
#include "daemon/store/store.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/stored_rows.hpp"
#include "daemon/telemetry/event_log.hpp"
#include "daemon/telemetry/log_ring.hpp"
#include "daemon/telemetry/request_history.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::test {

/// The services of one daemon, in build order, behind a control socket.
struct Daemon {
    Daemon(LoadedConfig& loaded, std::unique_ptr<Store> opened, const Environment& environment)
        : config(loaded),
          store(std::move(opened)),
          catalog({loop.get_executor(), *store, pool, sink(), environment}, loaded.config),
          rows(*store),
          fleet({loop.get_executor(), pool, rows, sink()}, loaded.config),
          ring(loop.get_executor()),
          requests(loop.get_executor(), *store),
          keys(*store),
          pulls({.executor = loop.get_executor(),
                 .store = *store,
                 .pool = pool,
                 .catalog = catalog,
                 .events = sink(),
                 .environment = environment,
                 .memory = [] { return std::optional<std::uint64_t>(); }},
                loaded.config),
          control({.executor = loop.get_executor(),
                   .pool = pool,
                   .store = *store,
                   .catalog = catalog,
                   .fleet = fleet,
                   .events = events,
                   .log = ring,
                   .requests = requests,
                   .keys = keys,
                   .pulls = pulls,
                   .config = [this]() -> const LoadedConfig& { return config; },
                   .daemon =
                       [this] {
                           DaemonFacts facts;
                           facts.stopping = stopping;
                           return facts;
                       },
                   .reload = [this] { return reload(); },
                   .shutdown =
                       [this](bool keep_models) {
                           asked_to_stop = keep_models;
                           stopping = true;
                       }}),
          server(io, routes, {loaded.config.http, {}, nullptr, nullptr}) {
        routes.add(control.routes());
    }
    ~Daemon() {
        store->join();
        pool.join();
    }

    api::EventSink sink() {
        return [this](api::Event event) { events.append(std::move(event)); };
    }

    asio::awaitable<Result<void>> reload() {
        config.config.limits.parallel = 2;
        config.config.http.workers = 4;
        co_return Result<void>();
    }

    asio::io_context loop{1};
    IoLoop io{loop.get_executor()};
    LoadedConfig& config;
    std::unique_ptr<Store> store;
    asio::thread_pool pool{2};
    EventLog events;
    Catalog catalog;
    StoredRows rows;
    Fleet fleet;
    LogRing ring;
    RequestHistory requests;
    KeyRing keys;
    Pulls pulls;
    std::optional<bool> asked_to_stop;  ///< with the models kept or not
    bool stopping = false;
    Control control;
    Routes routes;
    Server server;
};

/// A whole daemon but for its `main`, asked by the client that routerctl uses: so these tests hold
/// both ends to the same contract. Models `a` and `b` are there, run by fake servers.
class ControlTest : public testing::Test {
  protected:
    using Client = client::Client;
    using Scenario = std::function<void(Client&)>;

    ControlTest() {
        loaded_ = load_config_text("", "test.toml");
        auto& config = loaded_.config;
        config.state.dir = dir_ / "state";
        config.state.runtime_dir = dir_ / "run";
        config.state.socket = dir_ / "control.sock";
        config.models.dirs = {dir_ / "models"};
        config.models.stores = {};
        config.pull.dir = dir_ / "models";
        config.llama_server.path = FAKE_LLAMA_SERVER;
        config.limits.start_timeout = std::chrono::seconds(10);
        config.limits.stop_timeout = std::chrono::seconds(2);
        config.limits.drain_timeout = std::chrono::seconds(2);
        config.queue.min_residency = std::chrono::seconds(0);
        std::filesystem::create_directories(config.state.dir);
        write_model("a.gguf");
        write_model("b.gguf");
    }

    void TearDown() override {
        const auto left = processes_with_environment("ROUTERD_OWNER=" + loaded_.config.state.dir);
        EXPECT_TRUE(left.empty()) << left.size() << " processes are left";
        kill_processes(left);
    }

    void write_model(const std::string& name) {
        dir_.write("models/" + name, GgufWriter::model().file());
    }

    /// A daemon's life with one blocking client of it, on a thread of its own.
    void live(const Scenario& scenario) {
        auto store = Store::open(loaded_.config.state.dir);
        ASSERT_TRUE(store) << store.error().message();
        Daemon daemon(loaded_, std::move(*store), {{"HOME", dir_.path()}});
        daemon_ = &daemon;
        run(daemon.loop, life(daemon, scenario), std::chrono::seconds(30));
        daemon_ = nullptr;
    }

    /// From the scenario's thread: something happens in the daemon.
    void report_event(const std::string& message) {
        asio::post(daemon_->loop, [this, message] {
            api::Event event;
            event.type = "test.happened";
            event.message = message;
            daemon_->events.append(std::move(event));
        });
    }

    client::Options options() const {
        client::Options options;
        options.addresses = {{.path = loaded_.config.state.socket, .host = {}, .port = 0}};
        options.timeout = std::chrono::seconds(20);
        return options;
    }

    TempDir dir_;
    LoadedConfig loaded_;
    Daemon* daemon_ = nullptr;  ///< during live()

  private:
    asio::awaitable<void> life(Daemon& daemon, const Scenario& scenario) {
        const auto remembered = co_await daemon.requests.start();
        EXPECT_TRUE(remembered);
        const auto read = co_await daemon.keys.start();
        EXPECT_TRUE(read);
        const auto started = co_await daemon.catalog.start();
        EXPECT_TRUE(started);
        daemon.fleet.set_catalog(daemon.catalog.snapshot());
        daemon.catalog.on_change(
            [&daemon] { daemon.fleet.set_catalog(daemon.catalog.snapshot()); });
        const auto adopted = co_await daemon.fleet.adopt();
        EXPECT_TRUE(adopted);
        const auto resumed = co_await daemon.pulls.start();
        EXPECT_TRUE(resumed);
        ListenAddress address;
        address.unix_path = loaded_.config.state.socket;
        auto listener = Listener::open(daemon.io, address);
        EXPECT_TRUE(listener);
        daemon.server.listen(std::move(*listener), true);
        asio::thread_pool thread(1);
        auto ask = [this, &scenario] {
            Client client(options());
            scenario(client);
            return true;
        };
        co_await run_on(thread, std::move(ask));
        daemon.server.drain();
        daemon.server.cut();
        co_await daemon.server.wait();
        co_await daemon.control.stop();
        co_await daemon.pulls.stop();
        co_await daemon.fleet.shutdown();
        co_await daemon.catalog.stop();
        co_await daemon.requests.stop();
    }
};

}  // namespace routerd::test
