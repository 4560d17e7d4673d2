// The bodies about memory.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "daemon/dialects/llama_router_bodies.hpp"

namespace routerd::llama_router {
namespace {

constexpr std::string_view host = "host";

/// Figures of one device, or of several together. Bytes.
struct Sum {
    std::size_t count = 0;
    std::uint64_t total = 0;
    std::uint64_t usable = 0;
    std::uint64_t foreign = 0;
    std::uint64_t reserved = 0;
    std::uint64_t free = 0;

    void add(const DeviceReport& report) noexcept {
        ++count;
        total += report.total;
        usable += report.usable;
        foreign += report.foreign;
        reserved += report.reserved;
        free += report.free;
    }

    Body body() const {
        return {{"total_mb", in_mib(total)},
                {"usable_mb", in_mib(usable)},
                {"used_mb", in_mib(foreign + reserved)},
                {"foreign_mb", in_mib(foreign)},
                {"reserved_mb", in_mib(reserved)},
                {"free_mb", in_mib(free)}};
    }
};

Body device_body(const DeviceReport& report) {
    Sum sum;
    sum.add(report);
    Body body = {{"id", report.device.id},
                 {"kind", to_string(report.device.kind)},
                 {"name", report.device.name}};
    body.update(sum.body());
    auto holders = Body::array();
    for (const auto& holder : report.holders) {
        holders.push_back({{"model", holder.model},
                           {"status", llama_router::word(holder.state)},
                           {"reserved_mb", in_mib(holder.reserved)}});
    }
    body["models"] = std::move(holders);
    body["error"] = report.error.empty() ? Body() : Body(report.error);
    return body;
}

/// On GPUs.
void add_reserved(DeviceBytes& held, std::uint64_t instance,
                  const std::vector<DeviceReport>& devices) {
    for (const auto& report : devices) {
        const auto holder =
            std::ranges::find(report.holders, instance, &DeviceReport::Holder::instance);
        if (report.device.kind != DeviceKind::host && holder != report.holders.end()) {
            held[report.device.id] += holder->reserved;
        }
    }
}

Body by_device(const DeviceBytes& held) {
    auto body = Body::object();
    for (const auto& [device, bytes] : held) {
        body[device] = in_mib(bytes);
    }
    return body;
}

}  // namespace

DeviceBytes held_by(const std::string& model, const Machine& machine) {
    DeviceBytes held;
    for (const auto& instance : machine.instances) {
        if (instance.model == model && instance.is_there()) {
            held[std::string(host)] += instance.rss_bytes;
            add_reserved(held, instance.id, machine.devices);
        }
    }
    return held;
}

std::uint64_t vram_of(const DeviceBytes& held) {
    std::uint64_t on_host = 0;
    std::uint64_t on_gpus = 0;
    for (const auto& [device, bytes] : held) {
        (device == host ? on_host : on_gpus) += bytes;
    }
    return on_gpus != 0 ? on_gpus : on_host;
}

Body vram_model_body(const ModelReport& report) {
    auto snapshots = Body::array();
    for (const auto& moment : report.history.moments) {
        snapshots.push_back({{"time", format_rfc3339(moment.time)},
                             {"status", llama_router::word(moment.state)},
                             {"vram_used_mb", in_mib(vram_of(moment.devices))},
                             {"devices", by_device(moment.devices)}});
    }
    const auto load_time = report.view.load_time ? report.view.load_time : report.history.load_time;
    return {{"model", report.view.model},
            {"status", llama_router::word(report.view.state)},
            {"vram_used_mb", in_mib(vram_of(report.held))},
            {"devices", by_device(report.held)},
            {"load_time_ms", load_time ? Body(load_time->count()) : Body()},
            {"snapshots", std::move(snapshots)}};
}

Body vram_body(const std::vector<DeviceReport>& devices, const std::vector<ModelReport>& models) {
    auto all_devices = Body::array();
    for (const auto& report : devices) {
        all_devices.push_back(device_body(report));
    }
    auto all_models = Body::object();
    for (const auto& report : models) {
        all_models[report.view.model] = vram_model_body(report);
    }
    return {{"devices", std::move(all_devices)}, {"models", std::move(all_models)}};
}

Body vram_summary_body(const std::vector<DeviceReport>& devices,
                       const std::vector<ModelReport>& models) {
    Sum gpus;
    Sum of_host;
    for (const auto& report : devices) {
        (report.device.kind == DeviceKind::host ? of_host : gpus).add(report);
    }
    Body gpu = {{"count", gpus.count}};
    gpu.update(gpus.body());
    std::uint64_t vram = 0;
    for (const auto& report : models) {
        vram += vram_of(report.held);
    }
    return {{"gpu", std::move(gpu)},
            {"host", of_host.body()},
            {"models", {{"loaded", models.size()}, {"vram_used_mb", in_mib(vram)}}}};
}

}  // namespace routerd::llama_router
