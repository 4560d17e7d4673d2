#include "daemon/metrics/request_metrics.hpp"

#include <functional>
#include <map>
#include <tuple>

#include "daemon/metrics/text.hpp"

namespace routerd::metrics {
namespace {

constexpr unsigned beyond_statuses = 1000;  // a raw answer may say any three digits

struct ModelSums {
    Histogram::Reading duration;
    Histogram::Reading first_byte;
    Histogram::Reading queued;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

using ModelTable = std::map<std::string_view, ModelSums>;

void write_histogram(Text& text, const Metric& metric, const ModelTable& models,
                     Histogram::Reading ModelSums::*which) {
    text.begin(metric);
    for (const auto& [model, sums] : models) {
        if ((sums.*which).count() > 0) {
            text.sample({{"model", model}}, sums.*which);
        }
    }
}

void write_tokens(Text& text, const ModelTable& models) {
    text.begin(tokens);
    for (const auto& [model, sums] : models) {
        if (!model.empty()) {
            text.sample({{"model", model}, {"kind", "prompt"}}, sums.prompt_tokens);
            text.sample({{"model", model}, {"kind", "completion"}}, sums.completion_tokens);
        }
    }
}

}  // namespace

std::size_t RequestShard::Hash::operator()(const Key& key) const noexcept {
    const std::hash<std::string_view> hash;
    constexpr std::size_t spread = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    return (hash(key.model) * spread + hash(key.endpoint)) * spread + key.status;
}

RequestShard::OfModel& RequestShard::model(std::string_view id) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
        return *found->second;
    }
    if (by_id_.size() >= most_models && id != other) {
        return model(other);
    }
    auto& made = models_.add(id);
    by_id_.emplace(made.model, &made);
    return made;
}

RequestShard::Series& RequestShard::find(Key key) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        return *found->second;
    }
    if (series_.size() >= most_series && key.model != other) {
        return find({other, other, key.status});
    }
    auto& made = series_.add(key, model(key.model));
    by_key_.emplace(Key{made.model, made.endpoint, made.status}, &made);
    return made;
}

void RequestShard::record(const RequestSample& sample) {
    const auto status = sample.status < beyond_statuses ? sample.status : 0;
    auto& series = find({sample.model, sample.endpoint, status});
    series.requests.add();
    auto& all = *series.of_model;
    all.duration.observe(sample.took);
    all.queued.observe(sample.queued);
    if (sample.first_byte) {
        all.first_byte.observe(*sample.first_byte);
    }
    all.prompt_tokens.add(sample.prompt_tokens);
    all.completion_tokens.add(sample.completion_tokens);
}

RequestShard& RequestMetrics::add_shard() {
    return *shards_.emplace_back(std::make_unique<RequestShard>());
}

void RequestMetrics::write(Text& text) const {
    std::map<std::tuple<std::string_view, std::string_view, unsigned>, std::uint64_t> counts;
    ModelTable models;
    for (const auto& shard : shards_) {
        shard->series_.each([&counts](const auto& series) {
            counts[{series.model, series.endpoint, series.status}] += series.requests.value();
        });
        shard->models_.each([&models](const auto& of_model) {
            auto& sums = models[of_model.model];
            sums.duration.add(of_model.duration.read());
            sums.first_byte.add(of_model.first_byte.read());
            sums.queued.add(of_model.queued.read());
            sums.prompt_tokens += of_model.prompt_tokens.value();
            sums.completion_tokens += of_model.completion_tokens.value();
        });
    }
    text.begin(requests);
    for (const auto& [labels, count] : counts) {
        const auto& [model, endpoint, status] = labels;
        text.sample({{"model", model}, {"endpoint", endpoint}, {"status", std::to_string(status)}},
                    count);
    }
    write_histogram(text, duration, models, &ModelSums::duration);
    write_histogram(text, first_byte, models, &ModelSums::first_byte);
    write_histogram(text, queue_wait, models, &ModelSums::queued);
    write_tokens(text, models);
}

}  // namespace routerd::metrics
