#include "daemon/backends/backend.hpp"
#include "daemon/backends/llama_server/llama_server.hpp"
#include "daemon/backends/remote/remote.hpp"

namespace routerd {

const std::vector<const Backend*>& backends() {
    static const LlamaServer llama_server;
    static const Remote remote;
    static const std::vector<const Backend*> all{&llama_server, &remote};
    return all;
}

const Backend* find_backend(std::string_view name) {
    for (const auto* backend : backends()) {
        if (name.empty() || backend->info().name == name) {
            return backend;
        }
    }
    return nullptr;
}

const Backend* backend_of(const Model& model) {
    const auto implied = model.settings.url ? "remote" : "";
    return find_backend(model.settings.backend.value_or(implied));
}

bool is_elsewhere(const Model& model) {
    const auto* backend = backend_of(model);
    return backend != nullptr && backend->info().is_elsewhere;
}

}  // namespace routerd
