#include "common/api/estimate.hpp"

#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/estimate/saturating.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

api::DeviceEstimate shown(const EstimateReport::Row& row) {
    const auto& bytes = row.bytes;
    api::DeviceEstimate device;
    device.device = row.device;
    device.weights_bytes = bytes.weights;
    device.kv_bytes = sat_add(bytes.kv, bytes.recurrent);
    device.compute_bytes = bytes.compute;
    device.mmproj_bytes = bytes.mmproj;
    device.other_bytes = sat_add(sat_add(bytes.output, bytes.lora), bytes.overhead);
    device.needed_bytes = row.needed;
    device.free_bytes = row.free;
    device.usable_bytes = row.usable;
    return device;
}

api::Estimate shown(const EstimateReport& report) {
    api::Estimate estimate;
    estimate.model = report.model;
    estimate.verdict = to_string(report.verdict);
    estimate.reason = report.reason;
    estimate.context_per_slot = report.context_per_slot;
    estimate.slots = report.slots;
    estimate.gpu_layers = report.gpu_layers;
    estimate.learned = report.learned;
    estimate.growth_bytes = sat_add(report.growth.checkpoints, report.growth.prompt_cache);
    for (const auto& row : report.devices) {
        estimate.devices.push_back(shown(row));
    }
    for (const auto& eviction : report.evictions) {
        estimate.evict.push_back({eviction.instance, eviction.model, eviction.reason});
    }
    return estimate;
}

}  // namespace

Result<Response> estimate(Control& control, Exchange& exchange) {
    const auto request = body_of<api::EstimateRequest>(exchange);
    if (!request) {
        return request.error();
    }
    const auto model = find_model(control, request->model);
    if (!model) {
        return model.error();
    }
    const EstimateOptions options{.context = request->context,
                                  .parallel = request->parallel,
                                  .cache_type = request->cache_type};
    const auto report = control.services().fleet.estimate((*model)->id, options);
    if (!report) {
        return report.error();
    }
    return json_reply(shown(*report));
}

}  // namespace routerd::control
