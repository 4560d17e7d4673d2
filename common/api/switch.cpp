#include "common/api/switch.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

extern template struct Value<Instance>;

template <class Io>
void fields(Io& io, Of<Io, SwitchRequest> request) {
    io("model", request.model);
    io("exclusive", request.exclusive);
    io("dry_run", request.dry_run);
    io("wait", request.wait);
}

template <class Io>
void fields(Io& io, Of<Io, SwitchStage> stage) {
    io("name", stage.name);
    io("model", stage.model);
    io("ms", stage.ms);
    io("message", stage.message);
}

template <class Io>
void fields(Io& io, Of<Io, SwitchResult> result) {
    io("model", result.model);
    io("previous", result.previous);
    io("state", result.state);
    io("evicted", result.evicted);
    io("total_ms", result.total_ms);
    io("instance", result.instance);
}

template <class Io>
void fields(Io& io, Of<Io, Eviction> eviction) {
    io("instance", eviction.instance);
    io("model", eviction.model);
    io("busy", eviction.busy);
    io("memory_bytes", eviction.memory_bytes);
    io("reason", eviction.reason);
}

template <class Io>
void fields(Io& io, Of<Io, SwitchPlan> plan) {
    io("model", plan.model);
    io("state", plan.state);
    io("load", plan.load);
    io("evict", plan.evict);
    io("note", plan.note);
}

ROUTERD_API_CODEC(SwitchRequest);
ROUTERD_API_CODEC(SwitchStage);
ROUTERD_API_CODEC(SwitchResult);
ROUTERD_API_CODEC(SwitchPlan);

}  // namespace routerd::api
