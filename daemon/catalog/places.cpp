#include "daemon/catalog/places.hpp"

#include <algorithm>
#include <string_view>

#include "daemon/catalog/sources/huggingface.hpp"
#include "daemon/catalog/sources/llama_cpp.hpp"
#include "daemon/catalog/sources/lmstudio.hpp"
#include "daemon/catalog/sources/ollama.hpp"

namespace routerd {
namespace {

struct StoreKind {
    std::string_view name;  // as in [models] stores
    Source source;
    std::vector<std::string> (*folders)(const Environment&);
};

constexpr StoreKind store_kinds[] = {
    {"huggingface", Source::huggingface, sources::huggingface_folders},
    {"llama.cpp", Source::llama_cpp, sources::llama_cpp_folders},
    {"lmstudio", Source::lmstudio, sources::lmstudio_folders},
    {"ollama", Source::ollama, sources::ollama_folders},
};

std::string absolute(const std::string& path, const Environment& environment) {
    auto result = expand_home(path, environment);
    if (!result.starts_with('/')) {
        result = expand_home("~/" + result, environment);
    }
    while (result.size() > 1 && result.back() == '/') {
        result.pop_back();
    }
    return result;
}

}  // namespace

std::vector<Place> places(const ModelsConfig& models, const Environment& environment) {
    std::vector<Place> result;
    const auto add = [&](Source source, const std::string& path) {
        const auto folder = absolute(path, environment);
        const bool known = std::any_of(result.begin(), result.end(),
                                       [&](const Place& place) { return place.path == folder; });
        if (!known) {
            result.push_back({source, folder});
        }
    };
    for (const auto& folder : models.dirs) {
        add(Source::directory, folder);
    }
    for (const auto& kind : store_kinds) {
        if (std::find(models.stores.begin(), models.stores.end(), kind.name) ==
            models.stores.end()) {
            continue;
        }
        for (const auto& folder : kind.folders(environment)) {
            add(kind.source, folder);
        }
    }
    return result;
}

std::vector<std::pair<std::string, std::string>> configured_files(const Config& config,
                                                                  const Environment& environment) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& [id, model] : config.model) {
        if (model.path && !model.path->empty()) {
            files.emplace_back(id, absolute(*model.path, environment));
        }
    }
    return files;
}

}  // namespace routerd
