#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/dialects/llama_router.hpp"
#include "daemon/dialects/openai_models.hpp"
#include "daemon/telemetry/event_log.hpp"
#include "tests/unit/daemon/http/http_fixture.hpp"
#include "tests/unit/daemon/supervisor/fleet_fixture.hpp"

namespace routerd::test {

using Json = nlohmann::json;

struct Answer {
    unsigned status = 0;
    std::string head;
    Json body;
};

/// The dialect over a fleet of fake servers, asked over HTTP as its clients do.
class LlamaRouterTest : public FleetTest {
  protected:
    using Scenario = std::function<asio::awaitable<void>()>;

    void serve(Scenario scenario) {
        std::filesystem::create_directories(config.state.dir);
        fleet_.emplace(Fleet::Services{loop.get_executor(), pool, rows,
                                       [this](api::Event event) { log.append(std::move(event)); }},
                       config);
        publish();
        router.emplace(LlamaRouter::Services{
            .executor = loop.get_executor(),
            .fleet = *fleet_,
            .events = log,
            .catalog = [this] { return catalog; },
            .health = [this] { return health; },
            .server = [this] { return server_report; },
            .check = [this]() -> asio::awaitable<Result<void>> { co_return ready; },
            .heartbeat = heartbeat});
        routes.add(router->routes());
        routes.add(openai_model_routes([this] { return catalog; }, *fleet_));
        run(loop, life(std::move(scenario)), 20s);
        server.reset();
        router.reset();
        fleet_.reset();
    }

    /// What the catalogue does after a change of `models`.
    void publish() {
        auto made = std::make_shared<Snapshot>();
        made->models.assign(models.begin(), models.end());
        for (std::size_t i = 0; i < models.size(); ++i) {
            made->names[models[i]->id] = i;
            for (const auto& alias : models[i]->aliases) {
                made->names[to_lower(alias)] = i;
            }
        }
        catalog = made;
        fleet_->set_catalog(catalog);
    }

    /// As the App does it.
    asio::awaitable<void> shut_down() {
        if (std::exchange(is_down_, true)) {
            co_return;
        }
        server->drain();
        co_await fleet_->shutdown();
        co_await router->stop();
        server->cut();
        co_await server->wait();
    }

    RawClient client() { return RawClient(loop, port_); }

    asio::awaitable<Answer> ask(std::string method, std::string path, std::string body = {}) {
        auto connection = client();
        connection.send(method + " " + path +
                        " HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                        "connection: close\r\ncontent-length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
        const auto all = co_await connection.read_all();
        const auto end = all.find("\r\n\r\n");
        Answer answer;
        answer.head = all.substr(0, end);
        answer.status = all.size() > 12 ? static_cast<unsigned>(std::stoul(all.substr(9, 3))) : 0;
        answer.body = Json::parse(end == std::string::npos ? "" : all.substr(end + 4), nullptr,
                                  /*allow_exceptions=*/false);
        co_return answer;
    }

    asio::awaitable<Answer> get(std::string path) {
        auto answer = co_await ask("GET", std::move(path));
        co_return answer;
    }

    /// Loads it as a request does, and gives its slot back.
    asio::awaitable<void> use(std::string model) {
        const auto granted = co_await lease(*fleet_, std::move(model));
        EXPECT_TRUE(granted) << (granted ? "" : granted.error().message());
    }

    EventLog log;
    SnapshotPtr catalog;
    std::vector<HealthReport> health;
    llama_router::ServerReport server_report{"running", 5s};
    Result<void> ready;
    std::chrono::milliseconds heartbeat = 30s;
    Routes routes;
    std::optional<LlamaRouter> router;
    IoLoop io{loop.get_executor()};
    std::optional<Server> server;

  private:
    asio::awaitable<void> life(Scenario scenario) {
        const auto adopted = co_await fleet_->adopt();
        EXPECT_TRUE(adopted);
        server.emplace(io, routes, Server::Options{http_, {}, nullptr, nullptr});
        auto listener = Listener::open(io, *parse_listen_address("127.0.0.1:0"));
        port_ = listener->address().port;
        server->listen(std::move(*listener), false);
        co_await scenario();
        co_await shut_down();
    }

    HttpConfig http_;
    std::uint16_t port_ = 0;
    bool is_down_ = false;
};

/// One client of the stream.
class Watcher {
  public:
    explicit Watcher(RawClient connection) : connection_(std::move(connection)) {
        connection_.send("GET /v1/models/status/stream HTTP/1.1\r\nhost: localhost\r\n\r\n");
    }

    struct Seen {
        std::string event;
        Json data;
    };

    /// The next event; an empty one when the stream has ended.
    asio::awaitable<Seen> next() {
        const auto text = co_await connection_.read_until("\n\n");
        Seen seen;
        const auto event = text.find("event: ");
        const auto data = text.find("\ndata: ");
        if (event == std::string::npos || data == std::string::npos) {
            end_ = text;
            co_return seen;
        }
        seen.event = text.substr(event + 7, data - event - 7);
        seen.data = Json::parse(text.substr(data + 7), nullptr, /*allow_exceptions=*/false);
        co_return seen;
    }

    /// The words of `alias` in the updates up to and with `last`.
    asio::awaitable<std::vector<std::string>> states(std::string alias, std::string last) {
        std::vector<std::string> words;
        while (words.empty() || words.back() != last) {
            const auto seen = co_await next();
            if (seen.event.empty()) {
                break;
            }
            if (seen.event == "model_update" && seen.data.at("alias") == alias) {
                words.push_back(seen.data.at("status"));
            }
        }
        co_return words;
    }

    /// What came after the last event.
    const std::string& end() const { return end_; }

    void leave() { connection_.close(); }

  private:
    RawClient connection_;
    std::string end_;
};

}  // namespace routerd::test
