#include "daemon/proxy/proxy.hpp"

#include <memory>
#include <utility>

#include "daemon/gate/gate.hpp"
#include "daemon/proxy/pipeline.hpp"

namespace routerd {
Proxy::Proxy(Services services, const Config& config)
    : services_(std::move(services)), pool_(services_.loop) {
    apply(config);
    services_.gate.on_closing_instance([this](std::uint64_t instance) { pool_.drop(instance); });
}

std::vector<Route> Proxy::routes() {
    std::vector<Route> table;
    const auto add = [this, &table](const char* method, const char* pattern, EndpointKind kind,
                                    Scope scope) {
        table.push_back({method, pattern, scope,
                         [this, kind](Exchange& exchange) {
                             return Pipeline::run(
                                 std::make_unique<Pipeline>(*this, exchange, kind));
                         },
                         dialect_of(pattern)});
    };
    const EndpointKind runs{};
    const EndpointKind asks{.needs_slot = false};
    const EndpointKind speaks{.has_events = false};  // sound, in pieces or not
    for (const auto* path : {"/v1/chat/completions",
                             "/chat/completions",
                             "/v1/completions",
                             "/completions",
                             "/completion",
                             "/v1/responses",
                             "/responses",
                             "/v1/embeddings",
                             "/embeddings",
                             "/embedding",
                             "/v1/rerank",
                             "/v1/reranking",
                             "/rerank",
                             "/reranking",
                             "/v1/messages",
                             "/infill",
                             "/v1/audio/transcriptions",
                             "/v1/audio/translations",
                             "/v1/images/generations",
                             "/v1/images/edits"}) {
        add("POST", path, runs, Scope::inference);
    }
    for (const auto* path :
         {"/v1/messages/count_tokens", "/tokenize", "/detokenize", "/apply-template"}) {
        add("POST", path, asks, Scope::inference);
    }
    add("POST", "/v1/audio/speech", speaks, Scope::inference);
    const EndpointKind queries{.needs_slot = false, .model_in_query = true};
    add("GET", "/props", queries, Scope::inference);
    add("GET", "/slots", queries, Scope::admin);  // it shows other people's prompts
    const EndpointKind raw{.raw = true, .has_events = false};
    add("*", "/upstream/{model}/{path...}", raw, Scope::admin);
    return table;
}

}  // namespace routerd
