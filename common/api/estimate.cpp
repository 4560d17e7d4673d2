#include "common/api/estimate.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, EstimateRequest> request) {
    io("model", request.model);
    io("context", request.context);
    io("parallel", request.parallel);
    io("cache_type", request.cache_type);
}

template <class Io>
void fields(Io& io, Of<Io, DeviceEstimate> device) {
    io("device", device.device);
    io("weights_bytes", device.weights_bytes);
    io("kv_bytes", device.kv_bytes);
    io("compute_bytes", device.compute_bytes);
    io("mmproj_bytes", device.mmproj_bytes);
    io("other_bytes", device.other_bytes);
    io("needed_bytes", device.needed_bytes);
    io("free_bytes", device.free_bytes);
    io("usable_bytes", device.usable_bytes);
}

template <class Io>
void fields(Io& io, Of<Io, EstimateEviction> eviction) {
    io("instance", eviction.instance);
    io("model", eviction.model);
    io("reason", eviction.reason);
}

template <class Io>
void fields(Io& io, Of<Io, Estimate> estimate) {
    io("model", estimate.model);
    io("verdict", estimate.verdict);
    io("reason", estimate.reason);
    io("context_per_slot", estimate.context_per_slot);
    io("slots", estimate.slots);
    io("gpu_layers", estimate.gpu_layers);
    io("learned", estimate.learned);
    io("growth_bytes", estimate.growth_bytes);
    io("devices", estimate.devices);
    io("evict", estimate.evict);
}

ROUTERD_API_CODEC(EstimateRequest);
ROUTERD_API_CODEC(DeviceEstimate);
ROUTERD_API_CODEC(EstimateEviction);
ROUTERD_API_CODEC(Estimate);

}  // namespace routerd::api
