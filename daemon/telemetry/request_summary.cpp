#include "daemon/telemetry/request_summary.hpp"

#include <algorithm>
#include <utility>

namespace routerd {
namespace {

using Times = std::vector<std::chrono::microseconds>;

constexpr unsigned first_failure = 400;

/// The nearest rank: a time that was really seen. `times` in order, not empty.
std::chrono::microseconds percentile(const Times& times, std::size_t percent) {
    const auto rank = (times.size() * percent + 99) / 100;
    return times[std::max<std::size_t>(rank, 1) - 1];
}

Percentiles percentiles(Times times) {
    if (times.empty()) {
        return {};
    }
    std::sort(times.begin(), times.end());
    return {percentile(times, 50), percentile(times, 95), percentile(times, 99)};
}

}  // namespace

RequestSummary summarize(const std::vector<RequestRow>& rows) {
    RequestSummary summary;
    Times took;
    Times first_byte;
    took.reserve(rows.size());
    for (const auto& row : rows) {
        ++summary.requests;
        summary.failed += row.status >= first_failure ? 1U : 0U;
        summary.streamed += row.stream ? 1U : 0U;
        summary.prompt_tokens += row.prompt_tokens.value_or(0);
        summary.completion_tokens += row.completion_tokens.value_or(0);
        summary.queued += row.queued;
        took.push_back(row.took);
        if (row.first_byte.count() > 0) {
            first_byte.push_back(row.first_byte);
        }
    }
    if (!rows.empty()) {
        summary.queued /= static_cast<std::int64_t>(rows.size());
    }
    summary.took = percentiles(std::move(took));
    if (!first_byte.empty()) {
        summary.first_byte = percentiles(std::move(first_byte));
    }
    return summary;
}

std::map<std::string, RequestSummary> summarize_by_model(const std::vector<RequestRow>& rows) {
    std::map<std::string, std::vector<RequestRow>> parts;
    for (const auto& row : rows) {
        parts[row.model].push_back(row);
    }
    std::map<std::string, RequestSummary> summaries;
    for (const auto& [model, part] : parts) {
        summaries.emplace(model, summarize(part));
    }
    return summaries;
}

std::vector<ErrorSummary> summarize_errors(const std::vector<RequestRow>& rows) {
    std::map<std::pair<unsigned, std::string>, ErrorSummary> kinds;
    for (const auto& row : rows) {
        if (row.status < first_failure) {
            continue;
        }
        auto& kind = kinds[{row.status, row.model}];
        if (kind.count++ == 0) {
            kind.status = row.status;
            kind.model = row.model;
            kind.last = row.started;
            kind.message = row.error;
        }
    }
    std::vector<ErrorSummary> list;
    for (auto& [key, kind] : kinds) {
        list.push_back(std::move(kind));
    }
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    return list;
}

}  // namespace routerd
