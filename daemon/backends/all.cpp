#include "daemon/backends/backend.hpp"
#include "daemon/backends/llama_server/llama_server.hpp"

namespace routerd {

const std::vector<const Backend*>& backends() {
    static const LlamaServer llama_server;
    static const std::vector<const Backend*> all{&llama_server};
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

}  // namespace routerd
