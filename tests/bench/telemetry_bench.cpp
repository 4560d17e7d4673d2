// What one request costs: its metrics, its place in the history, and its part of the writing.
#include <array>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <boost/asio/io_context.hpp>

#include "daemon/store/database.hpp"
#include "daemon/store/open.hpp"
#include "daemon/store/store.hpp"
#include "daemon/telemetry/telemetry.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

constexpr std::array<std::string_view, 4> models{"qwen3-8b-q4-k-m", "gemma-3-27b-it-q5-k-m",
                                                 "nomic-embed-text", "llama-3.1-70b-instruct"};

FinishedRequest request(std::size_t i) {
    FinishedRequest made;
    made.request = "5f0c1a3e9b7d4c2e8a6f1b3d5c7e9a0b";
    made.endpoint = "/v1/chat/completions";
    made.route = "/v1/chat/completions";
    made.model = models.at(i % models.size());
    made.status = 200;
    made.stream = true;
    made.bytes = 4096;
    made.prompt_tokens = 100;
    made.completion_tokens = 50;
    made.tokens_per_second = 40;
    made.first_byte = std::chrono::milliseconds(80);
    made.took = std::chrono::milliseconds(1300);
    return made;
}

void metrics_alone(benchmark::State& state) {
    metrics::RequestMetrics all;
    auto& shard = all.add_shard();
    std::size_t i = 0;
    for (auto _ : state) {
        const auto one = request(i++);
        metrics::RequestSample sample;
        sample.model = one.model;
        sample.endpoint = one.route;
        sample.status = one.status;
        sample.took = one.took;
        sample.first_byte = one.first_byte;
        sample.prompt_tokens = 100;
        sample.completion_tokens = 50;
        shard.record(sample);
    }
}

void record(benchmark::State& state) {
    const test::TempDir dir;
    boost::asio::io_context loop(1);
    EventLog events;
    const auto store = *Store::open(dir.path());
    Telemetry telemetry(loop.get_executor(), *store, events);
    std::size_t i = 0;
    for (auto _ : state) {
        telemetry.record(request(i++));
    }
}

/// CPU of the store's thread for one request that is written; 200 a second are at the most.
void write_row(benchmark::State& state) {
    const test::TempDir dir;
    auto opened = open_state_database(dir / "state.db");
    RequestRepository repository(opened->database, 10'000);
    std::vector<RequestRow> rows(200);
    for (auto& row : rows) {
        row.request = "5f0c1a3e9b7d4c2e8a6f1b3d5c7e9a0b";
        row.endpoint = "/v1/chat/completions";
        row.model = "qwen3-8b-q4-k-m";
        row.status = 200;
    }
    for (auto _ : state) {
        if (!repository.add(rows)) {
            state.SkipWithError("not written");
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.size()));
}

BENCHMARK(metrics_alone);
BENCHMARK(record);
BENCHMARK(write_row);

}  // namespace
}  // namespace routerd

BENCHMARK_MAIN();
