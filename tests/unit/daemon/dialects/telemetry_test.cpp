#include "daemon/dialects/telemetry.hpp"

#include "common/api/openapi.hpp"
#include "daemon/dialects/metrics.hpp"
#include "daemon/store/store.hpp"
#include "daemon/telemetry/telemetry.hpp"
#include "tests/support/prometheus.hpp"
#include "tests/unit/daemon/dialects/llama_router_fixture.hpp"

namespace routerd::test {
namespace {

/// /metrics and /v1/telemetry over a fleet of fake servers.
class TelemetryRoutesTest : public LlamaRouterTest {
  protected:
    ~TelemetryRoutesTest() override { store_->join(); }

    void observe(const Scenario& scenario) {
        serve([this, scenario]() -> asio::awaitable<void> {
            routes.add(metrics_routes(*fleet_, telemetry_));
            routes.add(telemetry_routes(telemetry_.history()));
            const auto started = co_await telemetry_.start();
            EXPECT_TRUE(started);
            co_await scenario();
            co_await telemetry_.stop();
        });
    }

    void answered(const std::string& model, unsigned status, std::chrono::milliseconds took) {
        FinishedRequest request;
        request.request = "r";
        request.endpoint = "/v1/embeddings";
        request.route = "/v1/embeddings";
        request.model = model;
        request.status = status;
        request.error = status < 400 ? "" : "it went wrong";
        request.first_byte = status < 400 ? took / 2 : 0ms;
        request.took = took;
        telemetry_.record(request);
    }

    asio::awaitable<Prometheus> scrape() {
        auto connection = client();
        connection.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        const auto all = co_await connection.read_all();
        EXPECT_THAT(all, testing::HasSubstr("text/plain; version=0.0.4; charset=utf-8\r\n"));
        const auto body = all.substr(all.find("\r\n\r\n") + 4);
        Prometheus read(body);
        EXPECT_THAT(read.faults(), testing::IsEmpty());
        co_return read;
    }

    std::unique_ptr<Store> store_ = *Store::open(dir.path());
    Telemetry telemetry_{loop.get_executor(), *store_, log};
};

TEST_F(TelemetryRoutesTest, MetricsFollowWhatHappens) {
    add_model("a");
    observe([this]() -> asio::awaitable<void> {
        const auto before = co_await scrape();
        EXPECT_EQ(before.value("router_models_loaded"), 0);
        EXPECT_EQ(before.count("router_requests_total"), 0U);
        EXPECT_EQ(before.value("routerd_build_info", {{"version", ROUTERD_VERSION}}), 1);
        co_await use("a");
        answered("a", 200, 20ms);
        const auto after = co_await scrape();
        EXPECT_EQ(after.value("router_models_loaded"), 1);
        EXPECT_EQ(after.value("router_model_vram_bytes", {{"model", "a"}}), 0);
        EXPECT_GT(after.value("router_model_resident_memory_bytes", {{"model", "a"}}), 0);
        EXPECT_EQ(after.value("router_queue_depth", {{"model", "a"}}), 0);
        EXPECT_EQ(after.value("router_model_starts_total", {{"model", "a"}}), 1);
        EXPECT_EQ(after.value("router_model_load_seconds_count", {{"model", "a"}}), 1);
        const Prometheus::Labels labels{
            {"model", "a"}, {"endpoint", "/v1/embeddings"}, {"status", "200"}};
        EXPECT_EQ(after.value("router_requests_total", labels), 1);
        EXPECT_GT(after.value("process_resident_memory_bytes"), 0);
    });
}

TEST_F(TelemetryRoutesTest, SummarizesAWindow) {
    observe([this]() -> asio::awaitable<void> {
        answered("a", 200, 20ms);
        answered("a", 503, 1ms);
        answered("b", 200, 40ms);
        const auto all = co_await get("/v1/telemetry/summary");
        EXPECT_EQ(all.status, 200U);
        EXPECT_EQ(all.body.at("window_seconds"), 3600);
        EXPECT_EQ(all.body.at("truncated"), false);
        EXPECT_EQ(all.body.at("total").at("requests"), 3);
        EXPECT_EQ(all.body.at("total").at("failed"), 1);
        EXPECT_EQ(all.body.at("total").at("took_ms").at("p50"), 20.0);
        EXPECT_EQ(all.body.at("models").at("b").at("first_byte_ms").at("p99"), 20.0);
        const auto one = co_await get("/v1/telemetry/summary?model=b&window=60");
        EXPECT_EQ(one.body.at("total").at("requests"), 1);
        const auto wrong = co_await get("/v1/telemetry/summary?window=day");
        EXPECT_EQ(wrong.status, 400U);
    });
}

TEST_F(TelemetryRoutesTest, ListsRequestsAndErrors) {
    observe([this]() -> asio::awaitable<void> {
        answered("a", 200, 20ms);
        answered("a", 503, 1ms);
        answered("", 404, 1ms);
        answered("a", 503, 2ms);
        const auto page = co_await get("/v1/telemetry/requests?limit=2");
        EXPECT_EQ(page.body.at("items").size(), 2U);
        EXPECT_EQ(page.body.at("items")[0].at("took_ms"), 2);
        const auto next = page.body.at("next").get<std::string>();
        const auto rest = co_await get("/v1/telemetry/requests?limit=2&cursor=" + next);
        EXPECT_EQ(rest.body.at("items")[1].at("status"), 200);
        const auto errors = co_await get("/v1/telemetry/errors");
        EXPECT_EQ(errors.body.at("total"), 3);
        EXPECT_EQ(errors.body.at("errors")[0].at("status"), 503);
        EXPECT_EQ(errors.body.at("errors")[0].at("count"), 2);
        EXPECT_EQ(errors.body.at("errors")[1].at("model"), nullptr);
    });
}

TEST_F(TelemetryRoutesTest, EveryRouteIsDescribedAndForThoseWhoMayRead) {
    const auto document = Json::parse(api::openapi_document());
    observe([this, &document]() -> asio::awaitable<void> {
        auto table = telemetry_routes(telemetry_.history());
        for (auto& route : metrics_routes(*fleet_, telemetry_)) {
            table.push_back(std::move(route));
        }
        for (const auto& route : table) {
            EXPECT_TRUE(document.at("paths").contains(route.pattern)) << route.pattern;
            EXPECT_EQ(route.scope, Scope::read) << route.pattern;
        }
        co_return;
    });
}

}  // namespace
}  // namespace routerd::test
