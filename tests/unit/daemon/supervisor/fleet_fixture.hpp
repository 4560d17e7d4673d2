#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/process/identity.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/memory_rows.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::test {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): a test's fixture

inline TimePoint in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// A fleet over fake servers in a folder of its own. After each test no process of it may be left.
class FleetTest : public testing::Test {
  protected:
    FleetTest() {
        config.state.dir = dir / "state";
        config.state.runtime_dir = dir / "run";
        config.llama_server.path = FAKE_LLAMA_SERVER;
        config.limits.start_timeout = 10s;
        config.limits.stop_timeout = 2s;
        config.limits.drain_timeout = 2s;
        config.queue.min_residency = 0s;
    }

    void TearDown() override {
        const auto left = processes_with_environment("ROUTERD_OWNER=" + config.state.dir);
        EXPECT_TRUE(left.empty()) << left.size() << " processes are left";
        kill_processes(left);
        EXPECT_TRUE(rows.rows.empty()) << rows.rows.size() << " rows are left";
    }

    /// A model whose file is there and whose server has these faults.
    Model& add_model(const std::string& id, const std::string& faults = "") {
        auto model = std::make_shared<Model>();
        model->id = id;
        model->files = {dir.write("models/" + id + ".gguf", "GGUF")};
        model->settings.env["FAKE_LLAMA"] = faults;
        models.push_back(model);
        return *models.back();
    }

    SnapshotPtr snapshot() const {
        auto made = std::make_shared<Snapshot>();
        made->models.assign(models.begin(), models.end());
        return made;
    }

    Fleet& make_fleet() {
        Fleet::Services services{loop.get_executor(), pool, rows,
                                 [this](api::Event event) { events.push_back(std::move(event)); }};
        services.corrections = &corrections;
        services.nvml = nvml;
        fleet_.emplace(std::move(services), config);
        fleet_->set_catalog(snapshot());
        return *fleet_;
    }

    /// A daemon's life: adopt, `scenario`, shut down.
    void live(const std::function<asio::awaitable<void>(Fleet&)>& scenario,
              Fleet::OnShutdown servers = Fleet::OnShutdown::stop_servers) {
        make_fleet();
        loop.restart();
        run(loop, life(scenario, servers), 20s);
        fleet_.reset();
    }

    asio::awaitable<void> life(std::function<asio::awaitable<void>(Fleet&)> scenario,
                               Fleet::OnShutdown servers) {
        const auto adopted = co_await fleet_->adopt();
        EXPECT_TRUE(adopted) << (adopted ? "" : adopted.error().message());
        co_await scenario(*fleet_);
        co_await fleet_->shutdown(servers);
    }

    /// A request that waits for its turn, 10 s at most.
    static asio::awaitable<Result<Lease>> lease(Fleet& fleet, std::string model) {
        Demand demand;
        demand.model = std::move(model);
        auto ticket = fleet.request(demand);
        co_await ticket.wait_until(in(10s));
        if (!ticket.settled()) {
            co_return Error(Errc::internal, "not settled after 10 s");
        }
        co_return ticket.take();
    }

    std::vector<std::string> event_types() const {
        std::vector<std::string> types;
        for (const auto& event : events) {
            types.push_back(event.type);
        }
        return types;
    }

    std::ptrdiff_t count(const std::string& type) const {
        return std::ranges::count(events, type, &api::Event::type);
    }

    boost::asio::io_context loop{1};
    boost::asio::thread_pool pool{2};
    TempDir dir;
    Config config;
    MemoryRows rows;
    MemoryCorrections corrections;
    const nvml::Api* nvml = nullptr;  ///< a test's own GPUs
    std::vector<std::shared_ptr<Model>> models;
    std::vector<api::Event> events;
    std::optional<Fleet> fleet_;
};

}  // namespace routerd::test
