#include "common/api/instance.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, Instance> instance) {
    io("id", instance.id);
    io("model", instance.model);
    io("state", instance.state);
    io("slots", instance.slots);
    io("busy", instance.busy);
    io("queue", instance.queue);
    io("memory_bytes", instance.memory_bytes);
    io("device", instance.device);
    io("context", instance.context);
    io("tokens_per_second", instance.tokens_per_second);
    io("until", instance.until);
    io("pinned", instance.pinned);
    io("pid", instance.pid);
    io("port", instance.port);
    io("address", instance.address);
    io("started", instance.started);
    io("load_ms", instance.load_ms);
    io("progress_percent", instance.progress_percent);
    io("adopted", instance.adopted);
    io("last_error", instance.last_error);
    io("retry_at", instance.retry_at);
}

template <class Io>
void fields(Io& io, Of<Io, LoadResult> result) {
    io("model", result.model);
    io("state", result.state);
    io("already_loaded", result.already_loaded);
    io("ms", result.ms);
    io("instance", result.instance);
}

template <class Io>
void fields(Io& io, Of<Io, UnloadResult> result) {
    io("models", result.models);
}

ROUTERD_API_CODEC(Instance);
ROUTERD_API_CODEC(InstanceList);
ROUTERD_API_CODEC(LoadResult);
ROUTERD_API_CODEC(UnloadResult);

}  // namespace routerd::api
