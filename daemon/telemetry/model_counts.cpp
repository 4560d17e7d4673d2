#include "daemon/telemetry/model_counts.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include "common/base/number.hpp"
#include "daemon/metrics/text.hpp"

namespace routerd {
namespace {

std::string_view detail(const api::Event& event, std::string_view name) {
    for (const auto& [key, value] : event.details) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

/// Of an idle server, or of one whose requests ended first.
bool is_eviction(std::string_view reason) {
    return reason == "makes_room" || reason == "door_closed";
}

}  // namespace

ModelCounts::ModelCounts(EventLog& events)
    : subscription_(events.subscribe([this](const api::Event& event) { count(event); })) {}

ModelCounts::Counts& ModelCounts::of(const std::string& model) {
    const auto found = models_.find(model);
    if (found != models_.end()) {
        return found->second;
    }
    return models_[models_.size() < most_models ? model : "_other"];
}

void ModelCounts::count(const api::Event& event) {
    if (event.type == "instance.starting") {
        auto& counts = of(event.model);
        ++counts.starts;
        counts.restarts += std::exchange(counts.failed, false) ? 1U : 0U;
    } else if (event.type == "instance.ready") {
        const auto milliseconds = number_in<std::int64_t>(detail(event, "load_ms")).value_or(0);
        of(event.model).load_time.observe(std::chrono::milliseconds(milliseconds));
    } else if (event.type == "instance.load_failed") {
        ++of(event.model).load_failures;
        of(event.model).failed = true;
    } else if (event.type == "instance.crashed") {
        ++of(event.model).crashes;
        of(event.model).failed = true;
    } else if (event.type == "instance.stopping" && is_eviction(detail(event, "reason"))) {
        ++of(event.model).evictions;
    }
}

void ModelCounts::write(metrics::Text& text) const {
    const auto counter = [this, &text](const metrics::Metric& metric,
                                       std::uint64_t Counts::*which) {
        text.begin(metric);
        for (const auto& [model, counts] : models_) {
            text.sample({{"model", model}}, counts.*which);
        }
    };
    counter(metrics::starts, &Counts::starts);
    counter(metrics::restarts, &Counts::restarts);
    counter(metrics::load_failures, &Counts::load_failures);
    counter(metrics::crashes, &Counts::crashes);
    counter(metrics::evictions, &Counts::evictions);
    text.begin(metrics::load_time);
    for (const auto& [model, counts] : models_) {
        text.sample({{"model", model}}, counts.load_time.read());
    }
}

}  // namespace routerd
