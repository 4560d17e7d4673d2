#include "daemon/dialects/llama_router_bodies.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/units.hpp"

namespace routerd::llama_router {
namespace {

constexpr std::string_view ok = "ok";
constexpr std::string_view failing = "failing";

Body time_or_null(const std::optional<WallTime>& time) {
    return time ? Body(format_rfc3339(*time)) : Body();
}

Body port_of(const InstanceView& view) {
    return view.port == 0 ? Body() : Body(view.port);
}

Body address_of(const InstanceView& view) {
    return view.address.empty() ? Body() : Body(view.address);
}

Body progress_of(const InstanceView& view) {
    return view.loaded_percent ? Body(*view.loaded_percent) : Body();
}

Body last_use_of(const ModelReport& report) {
    return time_or_null(report.view.last_used ? report.view.last_used : report.history.last_used);
}

double rounded(double percent) {
    return std::round(percent * 100) / 100;
}

Body entry_of(const HealthReport* report) {
    if (report == nullptr) {
        return {{"status", word(InstanceState::off)},
                {"uptime_percentage", nullptr},
                {"consecutive_failures", 0},
                {"avg_response_time_ms", nullptr},
                {"last_check", nullptr}};
    }
    return {
        {"status", word(report->state)},
        {"uptime_percentage", rounded(report->uptime_percent)},
        {"consecutive_failures", report->consecutive_failures},
        {"avg_response_time_ms",
         report->response_time ? Body(static_cast<double>(report->response_time->count()) / 1000)
                               : Body()},
        {"last_check", time_or_null(report->last_check)}};
}

}  // namespace

bool HealthChecks::good() const noexcept {
    return gpu != failing && manager == ok && http_client == ok;
}

std::string_view word(InstanceState state) noexcept {
    return to_string(state == InstanceState::draining ? InstanceState::stopping : state);
}

std::uint64_t in_mib(std::uint64_t bytes) noexcept {
    return bytes / mib + (bytes % mib != 0 ? 1 : 0);
}

std::string text_of(const Body& body) {
    return body.dump(-1, ' ', false, Body::error_handler_t::replace);
}

std::string_view check_gpus(const std::vector<DeviceReport>& devices) noexcept {
    std::string_view check = "none";
    for (const auto& report : devices) {
        if (report.device.kind == DeviceKind::host) {
            continue;
        }
        if (!report.error.empty()) {
            return failing;
        }
        check = ok;
    }
    return check;
}

std::string_view check_servers(const std::vector<HealthReport>& reports) noexcept {
    constexpr unsigned patience = 2;  // one answer may be late in a busy moment
    bool any_ready = false;
    for (const auto& report : reports) {
        if (report.state != InstanceState::ready) {
            continue;
        }
        if (report.consecutive_failures < patience) {
            return ok;
        }
        any_ready = true;
    }
    return any_ready ? failing : ok;
}

Body status_body(const ModelReport& report) {
    const auto& view = report.view;
    return {{"model", view.model},
            {"status", word(view.state)},
            {"port", port_of(view)},
            {"address", address_of(view)},
            {"is_alive", view.is_there()},
            {"last_used", last_use_of(report)},
            {"vram_used_mb", in_mib(vram_of(report.held))}};
}

Body server_body(const ServerReport& server) {
    return {{"status", server.status}, {"uptime_seconds", server.uptime.count()}};
}

Body all_status_body(const ServerReport& server, const std::vector<ModelReport>& models) {
    auto summary = Body::object();
    for (const auto state :
         {InstanceState::off, InstanceState::starting, InstanceState::loading, InstanceState::ready,
          InstanceState::stopping, InstanceState::crashed, InstanceState::failed}) {
        summary[std::string(word(state))] = 0;
    }
    auto all = Body::object();
    for (const auto& report : models) {
        const auto& view = report.view;
        auto& count = summary[std::string(word(view.state))];
        count = count.get<std::size_t>() + 1;
        all[view.model] = {
            {"status", word(view.state)},          {"port", port_of(view)},
            {"address", address_of(view)},         {"vram_used_mb", in_mib(vram_of(report.held))},
            {"last_request", last_use_of(report)}, {"progress", progress_of(view)}};
    }
    summary["total"] = models.size();
    return {{"server", server_body(server)},
            {"models", std::move(all)},
            {"summary", std::move(summary)}};
}

Body update_body(const ModelReport& report) {
    const auto& view = report.view;
    return {{"alias", view.model},           {"status", word(view.state)},
            {"port", port_of(view)},         {"address", address_of(view)},
            {"progress", progress_of(view)}, {"vram_mb", in_mib(vram_of(report.held))}};
}

Body failed_body(const std::vector<InstanceView>& views) {
    auto failed = Body::array();
    for (const auto& view : views) {
        const bool has_failed =
            view.state == InstanceState::failed || view.state == InstanceState::crashed;
        if (has_failed) {
            failed.push_back({{"model", view.model},
                              {"status", word(view.state)},
                              {"attempts", view.failures},
                              {"error", view.last_error},
                              {"retry_at", time_or_null(view.retry_at)}});
        }
    }
    return {{"failed_models", std::move(failed)}};
}

Body queue_body(const std::map<std::string, QueueTotals>& totals) {
    QueueTotals sum;
    auto models = Body::object();
    for (const auto& [model, of_model] : totals) {
        sum.queued += of_model.queued;
        sum.processing += of_model.processing;
        sum.processed += of_model.processed;
        sum.rejected += of_model.rejected;
        models[model] = {{"queued", of_model.queued},
                         {"processing", of_model.processing},
                         {"processed", of_model.processed},
                         {"rejected", of_model.rejected}};
    }
    return {{"summary",
             {{"total_queued", sum.queued},
              {"total_processing", sum.processing},
              {"total_processed", sum.processed},
              {"total_rejected", sum.rejected}}},
            {"per_model", std::move(models)}};
}

Body health_models_body(const std::vector<std::string>& models,
                        const std::vector<HealthReport>& reports) {
    auto all = Body::object();
    for (const auto& model : models) {
        const auto report = std::ranges::find(reports, model, &HealthReport::model);
        all[model] = entry_of(report == reports.end() ? nullptr : &*report);
    }
    return {{"models", std::move(all)}};
}

Body health_body(const HealthChecks& checks) {
    return {
        {"status", checks.good() ? ok : std::string_view("degraded")},
        {"checks",
         {{"gpu", checks.gpu}, {"manager", checks.manager}, {"http_client", checks.http_client}}}};
}

}  // namespace routerd::llama_router
