#include "common/api/status.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

extern template struct Value<Instance>;
extern template struct Value<LogLine>;

template <class Io>
void fields(Io& io, Of<Io, ModelCounts> counts) {
    io("total", counts.total);
    io("enabled", counts.enabled);
    io("loaded", counts.loaded);
    io("broken", counts.broken);
}

template <class Io>
void fields(Io& io, Of<Io, RequestCounts> counts) {
    io("active", counts.active);
    io("queued", counts.queued);
    io("total", counts.total);
    io("failed", counts.failed);
}

template <class Io>
void fields(Io& io, Of<Io, Status> status) {
    io("state", status.state);
    io("version", status.version);
    io("pid", status.pid);
    io("started", status.started);
    io("uptime_ms", status.uptime_ms);
    io("config_files", status.config_files);
    io("listen", status.listen);
    io("state_dir", status.state_dir);
    io("llama_server", status.llama_server);
    io("memory_bytes", status.memory_bytes);
    io("models_memory_bytes", status.models_memory_bytes);
    io("host_memory_bytes", status.host_memory_bytes);
    io("host_memory_available_bytes", status.host_memory_available_bytes);
    io("default_model", status.default_model);
    io("active_profile", status.active_profile);
    io("models", status.models);
    io("requests", status.requests);
    io("instances", status.instances);
    io("problems", status.problems);
    io("log", status.log);
}

template <class Io>
void fields(Io& io, Of<Io, Check> check) {
    io("name", check.name);
    io("status", check.status);
    io("message", check.message);
    io("hint", check.hint);
}

ROUTERD_API_CODEC(Status);
ROUTERD_API_CODEC(Check);
ROUTERD_API_CODEC(CheckList);

}  // namespace routerd::api
