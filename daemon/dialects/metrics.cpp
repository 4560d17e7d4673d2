#include "daemon/dialects/metrics.hpp"

#include <map>
#include <string>

#include "daemon/metrics/process.hpp"
#include "daemon/metrics/text.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/telemetry/telemetry.hpp"

namespace routerd {
namespace {

struct ModelNow {
    bool loaded = false;
    std::uint64_t gpu_bytes = 0;
    std::uint64_t resident_bytes = 0;
};

/// By model id; a model may have several servers.
std::map<std::string, ModelNow> models_now(const Fleet& fleet) {
    std::map<std::string, ModelNow> models;
    for (const auto& view : fleet.instances()) {
        if (!view.is_there()) {
            continue;
        }
        auto& model = models[view.model];
        model.loaded = model.loaded || view.state == InstanceState::ready;
        model.gpu_bytes += view.gpu_bytes;
        model.resident_bytes += view.rss_bytes;
    }
    return models;
}

void write_models(metrics::Text& text, const Fleet& fleet) {
    const auto models = models_now(fleet);
    std::uint64_t loaded = 0;
    for (const auto& [id, model] : models) {
        loaded += model.loaded ? 1U : 0U;
    }
    text.single(metrics::models_loaded, loaded);
    text.begin(metrics::vram);
    for (const auto& [id, model] : models) {
        text.sample({{"model", id}}, model.gpu_bytes);
    }
    text.begin(metrics::resident);
    for (const auto& [id, model] : models) {
        text.sample({{"model", id}}, model.resident_bytes);
    }
}

void write_queues(metrics::Text& text, const Fleet& fleet) {
    const auto totals = fleet.queue_totals();
    text.begin(metrics::queue_depth);
    for (const auto& [id, queue] : totals) {
        text.sample({{"model", id}}, std::uint64_t{queue.queued});
    }
    text.begin(metrics::busy);
    for (const auto& [id, queue] : totals) {
        text.sample({{"model", id}}, std::uint64_t{queue.processing});
    }
}

Response scrape(const Fleet& fleet, const Telemetry& telemetry) {
    metrics::Text text;
    telemetry.write(text);
    write_models(text, fleet);
    write_queues(text, fleet);
    text.begin(metrics::build_info);
    text.sample({{"version", ROUTERD_VERSION}}, std::uint64_t{1});
    metrics::write_process(text);
    return {.status = 200,
            .content_type = std::string(metrics::Text::content_type),
            .body = text.take(),
            .headers = {}};
}

}  // namespace

std::vector<Route> metrics_routes(const Fleet& fleet, const Telemetry& telemetry) {
    const auto show = [&fleet, &telemetry](Exchange& /*exchange*/) {
        return Result<Response>(scrape(fleet, telemetry));
    };
    std::vector<Route> table;
    table.push_back({"GET", "/metrics", Scope::read, reply(show), Dialect::openai});
    return table;
}

}  // namespace routerd
