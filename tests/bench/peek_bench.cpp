// How long a look at a request's body takes, beside what else could be done with its bytes: a copy,
// and a walk through all of its JSON by the library that the rest of the daemon uses.
#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include "daemon/proxy/peek.hpp"

namespace {

using namespace routerd;

/// One long message, as a chat has: text with quotes, newlines and letters beyond ASCII.
std::string chat(std::size_t size) {
    std::string body = R"({"model":"m","stream":true,"messages":[{"role":"user","content":")";
    while (body.size() < size) {
        body += R"(Is \"model\":\"other\" a key? C:\\dir\\, naïve 東京 [1, 2];\n)";
    }
    return body + "\"}]}";
}

/// Short texts and much structure, as the tools of an agent have.
std::string tools(std::size_t size) {
    std::string body = R"({"model":"m","stream":true,"tools":[{})";
    while (body.size() < size) {
        body += R"(,{"type":"string","description":"name of a thing","enum":["a","b"]})";
    }
    return body + "]}";
}

template <class Work>
void over(benchmark::State& state, std::string (*make)(std::size_t), Work work) {
    auto body = make(static_cast<std::size_t>(state.range(0)));
    const auto size = body.size();
    body.reserve(size + peek_padding);
    for ([[maybe_unused]] auto _ : state) {
        work(body);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void peek_at(std::string& body) {
    benchmark::DoNotOptimize(peek_padded(body)->stream);
}

void copy(std::string& body) {
    static std::vector<char> room(4U << 20U);
    std::memcpy(room.data(), body.data(), body.size());
    benchmark::ClobberMemory();
}

void walk(std::string& body) {
    benchmark::DoNotOptimize(nlohmann::json::accept(body));
}

void sizes(benchmark::internal::Benchmark* bench) {
    for (const std::int64_t size : {1 << 10, 32 << 10, 1 << 20}) {
        bench->Arg(size);
    }
}

BENCHMARK_CAPTURE(over, chat_peek, chat, peek_at)->Apply(sizes);
BENCHMARK_CAPTURE(over, chat_copy, chat, copy)->Apply(sizes);
BENCHMARK_CAPTURE(over, chat_walk, chat, walk)->Apply(sizes);
BENCHMARK_CAPTURE(over, tools_peek, tools, peek_at)->Apply(sizes);
BENCHMARK_CAPTURE(over, tools_copy, tools, copy)->Apply(sizes);
BENCHMARK_CAPTURE(over, tools_walk, tools, walk)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
