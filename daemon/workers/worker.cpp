#include "daemon/workers/worker.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "daemon/gate/remote_gate.hpp"
#include "daemon/net/await_on.hpp"
#include "daemon/net/quiet_thread.hpp"
#include "daemon/proxy/proxy.hpp"

namespace routerd {
namespace {

/// The table as the core's: a worker's proxy answers what the core's would, all else is left to the
/// core.
Routes routes_of(Proxy& proxy, const Routes& whole) {
    Routes routes;
    const auto own = proxy.routes();
    for (const auto& route : whole.all()) {
        const auto mine = std::ranges::find_if(own, [&route](const Route& one) {
            return one.method == route.method && one.pattern == route.pattern;
        });
        auto added = route;
        added.handler = mine == own.end() ? Handler() : mine->handler;
        routes.add(std::move(added));
    }
    return routes;
}

}  // namespace

/// Members up to `loop` are the core loop's, those after it the worker's.
struct Worker::Inside {
    Inside(Services with, const Config& config, SnapshotPtr snapshot);
    ~Inside() {
        post([this] { proxy.close(); });
        busy.reset();
        thread.join();
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    template <class Work>
    void post(Work work) {
        asio::post(loop, std::move(work));
    }

    Services services;
    GateDesk desk;
    Mailbox<Record> records;

    asio::io_context loop{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{loop.get_executor()};
    asio::any_io_executor executor{loop.get_executor()};
    IoLoop io{executor};
    RemoteGate gate;
    SnapshotPtr catalog;
    Proxy proxy;
    Routes routes;
    Server server;

    std::thread thread;
};

Worker::Inside::Inside(Services with, const Config& config, SnapshotPtr snapshot)
    : services(std::move(with)),
      desk(services.core, services.gate),
      records(services.core, [this](Record&& record) { services.account(std::move(record)); }),
      gate(executor, desk),
      catalog(std::move(snapshot)),
      proxy({.loop = io,
             .gate = gate,
             .catalog = [this] { return catalog; },
             .account = [to = records.address()](Record&& record) { to.send(std::move(record)); }},
            config),
      routes(routes_of(proxy, services.routes)),
      server(io, routes,
             {.http = config.http,
              .authorize = services.authorize,
              .place = nullptr,
              .pass_on =
                  [this](Arrival arrival) {
                      asio::post(services.core, [this, moved = std::move(arrival)]() mutable {
                          services.pass_on(std::move(moved));
                      });
                  }}),
      thread() {
    desk.answer_to(gate.address());
    thread = quiet_thread("routerd-worker", [this] { loop.run(); });
}

Worker::Worker(Services services, const Config& config, SnapshotPtr catalog)
    : inside_(std::make_unique<Inside>(std::move(services), config, std::move(catalog))) {}

Worker::~Worker() = default;

void Worker::serve(Arrival arrival) {
    ++given_;
    inside_->post([inside = inside_.get(), moved = std::move(arrival)]() mutable {
        inside->server.serve(std::move(moved));
    });
}

void Worker::use(Authorize authorize) {
    inside_->post([inside = inside_.get(), moved = std::move(authorize)]() mutable {
        inside->server.use(std::move(moved));
    });
}

std::size_t Worker::connections() const noexcept {
    return given_ - inside_->server.ended();
}

std::size_t Worker::active() const noexcept {
    return inside_->server.active();
}

void Worker::apply(const Config& config) {
    inside_->post([inside = inside_.get(), config] {
        inside->server.use(config.http);
        inside->proxy.apply(config);
    });
}

void Worker::set_catalog(SnapshotPtr catalog) {
    inside_->post(
        [inside = inside_.get(), snapshot = std::move(catalog)] { inside->catalog = snapshot; });
}

void Worker::drain() {
    inside_->post([inside = inside_.get()] { inside->server.drain(); });
}

void Worker::hand_over(std::function<void(Arrival)> successor) {
    auto pass = [core = inside_->services.core, successor = std::move(successor)](Arrival arrival) {
        asio::post(core, [successor, moved = std::move(arrival)]() mutable {
            successor(std::move(moved));
        });
    };
    inside_->post([inside = inside_.get(), pass = std::move(pass)]() mutable {
        inside->server.hand_over(std::move(pass));
    });
}

void Worker::cut_own() {
    inside_->post([inside = inside_.get()] { inside->server.cut_own(nullptr); });
}

void Worker::cut() {
    inside_->post([inside = inside_.get()] { inside->server.cut(); });
}

asio::awaitable<void> Worker::wait() {
    auto work = [inside = inside_.get()]() -> asio::awaitable<bool> {
        co_await inside->server.wait();
        co_return true;
    };
    co_await await_on<bool>(inside_->executor, std::move(work));
}

asio::awaitable<void> Worker::take_turn() {
    auto work = []() -> asio::awaitable<bool> { co_return true; };
    co_await await_on<bool>(inside_->executor, std::move(work));
}

}  // namespace routerd
