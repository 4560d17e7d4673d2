// GET /v1/models/status/stream: everything at once, then what changes.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "daemon/control/event_stream.hpp"
#include "daemon/dialects/llama_router.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

using llama_router::Body;

/// What a watcher is told of at once when it changes; memory comes with the next of these.
struct Shown {
    std::string_view status;
    std::string address;
    std::optional<unsigned> progress;

    bool operator==(const Shown&) const = default;
};

asio::awaitable<bool> send_heartbeat(EventStream& stream) {
    const Body body = {{"timestamp", format_rfc3339(std::chrono::system_clock::now())}};
    const auto text = llama_router::text_of(body);
    co_return co_await stream.send("heartbeat", text);
}

}  // namespace

/// What one stream has told its client. Only models that are not off are kept: looking for changes
/// costs as much as there are servers, however large the catalogue is.
class LlamaRouter::Watch {
  public:
    struct News {
        const char* event;
        llama_router::Body body;
    };

    Watch(const LlamaRouter& router, Caller caller) : router_(router), caller_(std::move(caller)) {}

    /// What has changed since the last call; everything at first, and when the models are others.
    std::vector<News> look();

  private:
    using Models = std::map<std::string, Shown>;

    Models models_now() const;
    News everything();
    News update_of(const std::string& id) const;

    const LlamaRouter& router_;
    const Caller caller_;
    SnapshotPtr catalog_;
    std::string_view server_;
    Models models_;
};

LlamaRouter::Watch::Models LlamaRouter::Watch::models_now() const {
    const auto& fleet = router_.services_.fleet;
    Models models;
    for (const auto& instance : fleet.instances()) {
        const auto* model = catalog_->find(instance.model);
        const bool is_shown = model != nullptr && model->enabled && caller_.may_use(model->id);
        if (is_shown && !models.contains(model->id)) {
            const auto view = fleet.view(model->id);
            models[model->id] = {llama_router::word(view.state), view.address, view.loaded_percent};
        }
    }
    return models;
}

LlamaRouter::Watch::News LlamaRouter::Watch::everything() {
    catalog_ = router_.services_.catalog();
    models_ = models_now();
    server_ = router_.services_.server().status;
    return {"full_status", router_.all_status(caller_)};
}

LlamaRouter::Watch::News LlamaRouter::Watch::update_of(const std::string& id) const {
    return {"model_update", llama_router::update_body(router_.report(id, router_.machine()))};
}

std::vector<LlamaRouter::Watch::News> LlamaRouter::Watch::look() {
    std::vector<News> news;
    if (catalog_ != router_.services_.catalog()) {
        news.push_back(everything());
        return news;
    }
    const auto server = router_.services_.server();
    if (server.status != server_) {
        server_ = server.status;
        news.push_back({"server_update", llama_router::server_body(server)});
    }
    const auto before = std::exchange(models_, models_now());
    for (const auto& [id, shown] : models_) {
        const auto known = before.find(id);
        if (known == before.end() || !(known->second == shown)) {
            news.push_back(update_of(id));
        }
    }
    for (const auto& [id, shown] : before) {
        if (!models_.contains(id)) {
            news.push_back(update_of(id));
        }
    }
    return news;
}

asio::awaitable<bool> LlamaRouter::tell(EventStream& stream, Watch& watch) {
    const auto news = watch.look();
    for (const auto& item : news) {
        const auto text = llama_router::text_of(item.body);
        const bool alive = co_await stream.send(item.event, text);
        if (!alive) {
            co_return false;
        }
    }
    co_return true;
}

asio::awaitable<void> LlamaRouter::stream(Exchange& exchange) {
    EventStream stream(exchange, services_.executor);
    const bool begun = co_await stream.begin();
    if (!begun) {
        co_return;
    }
    ++streams_;
    const Subscription counted([this] {  // however this ends
        --streams_;
        stream_ended_.notify();
    });
    const auto subscription = changed_.subscribe([&stream] { stream.wake(); });
    Watch watch(*this, exchange.caller());
    auto beat_due = steady_now() + services_.heartbeat;
    bool alive = true;
    while (alive) {
        const bool is_last = stopped_;
        alive = co_await tell(stream, watch);
        if (alive && is_last) {
            exchange.mark_close();
            co_await stream.finish();
            co_return;
        }
        if (alive && steady_now() >= beat_due) {
            beat_due += services_.heartbeat;
            alive = co_await send_heartbeat(stream);
        }
        if (alive) {
            alive = co_await stream.wait_until(beat_due);
        }
    }
}

asio::awaitable<void> LlamaRouter::stop() {
    constexpr std::chrono::seconds patience(1);  // a client that does not read is cut off
    stopped_ = true;
    changed_.tell();
    const auto deadline = steady_now() + patience;
    while (streams_ != 0 && steady_now() < deadline) {
        co_await stream_ended_.wait_until(deadline);
    }
}

}  // namespace routerd
