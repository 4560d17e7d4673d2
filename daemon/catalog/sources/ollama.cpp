#include "daemon/catalog/sources/ollama.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "common/base/text.hpp"
#include "daemon/catalog/sources/small_file.hpp"

namespace routerd::sources {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_manifest = 1U << 20U;
constexpr std::size_t most_manifests = 10'000;
constexpr int manifest_depth = 3;  // registry/namespace/name/tag, counted from 0
constexpr std::string_view layer_prefix = "application/vnd.ollama.image.";
constexpr std::string_view digest_prefix = "sha256:";
constexpr std::size_t digest_digits = 64;

/// Where a blob lies; nullopt for what is no digest, so that no manifest can name another path.
std::optional<std::string> blob_path(const std::string& root, std::string_view digest) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (!digest.starts_with(digest_prefix)) {
        return std::nullopt;
    }
    digest.remove_prefix(digest_prefix.size());
    if (digest.size() != digest_digits || !std::all_of(digest.begin(), digest.end(), is_hex)) {
        return std::nullopt;
    }
    return root + "/blobs/sha256-" + std::string(digest);
}

/// The blobs of one manifest, by the last word of their media type.
struct Layers {
    std::string model;
    std::string projector;
    std::vector<std::string> adapters;
};

void add_layer(const std::string& root, const nlohmann::json& layer, Layers& layers) {
    const auto text = [&layer](const char* key) {
        const auto found = layer.is_object() ? layer.find(key) : layer.end();
        return found != layer.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
    };
    const auto type = text("mediaType");
    const auto blob = blob_path(root, text("digest"));
    if (!blob || !type.starts_with(layer_prefix)) {
        return;
    }
    const auto kind = std::string_view(type).substr(layer_prefix.size());
    if (kind == "model" && layers.model.empty()) {
        layers.model = *blob;
    } else if (kind == "projector") {
        layers.projector = *blob;
    } else if (kind == "adapter") {
        layers.adapters.push_back(*blob);
    }
}

Layers read_manifest(const std::string& root, const std::string& path) {
    Layers layers;
    const auto text = read_small_file(path, longest_manifest);
    const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    const auto found = json.is_object() ? json.find("layers") : json.end();
    if (found != json.end() && found->is_array()) {
        for (const auto& layer : *found) {
            add_layer(root, layer, layers);
        }
    }
    return layers;
}

/// Names by which people call `registry/namespace/name/tag`, as Ollama shortens them.
void name_model(const std::vector<std::string_view>& parts, Candidate& file) {
    std::string name;
    if (parts[0] != "registry.ollama.ai") {
        name.append(parts[0]).append("/");
    }
    if (parts[1] != "library" || !name.empty()) {
        name.append(parts[1]).append("/");
    }
    name.append(parts[2]);
    file.aliases.push_back(name + ":" + std::string(parts[3]));
    file.stem = parts[2];
    file.parent = parts[1];
    if (parts[3] == "latest") {
        file.aliases.push_back(name);
    } else {
        file.stem.append("-").append(parts[3]);
    }
    if (parts[0] == "hf.co" || parts[0] == "huggingface.co") {
        file.repo.assign(parts[1]).append("/").append(parts[2]);
    }
}

void add_manifest(const std::string& root, const std::string& path, OllamaFiles& found) {
    const auto below =
        std::string_view(path).substr(root.size() + std::string("/manifests/").size());
    const auto parts = split(below, '/');
    if (parts.size() != manifest_depth + 1) {
        return;
    }
    const auto layers = read_manifest(root, path);
    struct stat status {};
    if (layers.model.empty()) {
        found.broken.push_back({path, "is no manifest of a model"});
        return;
    }
    if (::stat(layers.model.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        found.broken.push_back(
            {path, "names the blob '" + escaped(layers.model) + "', which is not there"});
        return;
    }
    Candidate file;
    file.path = layers.model;
    file.stamp = stamp_of(status);
    file.source = Source::ollama;
    file.projector = layers.projector;
    file.adapters = layers.adapters;
    name_model(parts, file);
    found.files.push_back(std::move(file));
}

}  // namespace

std::vector<std::string> ollama_folders(const Environment& environment) {
    const auto own = environment.find("OLLAMA_MODELS");
    if (own != environment.end() && !own->second.empty()) {
        return {expand_home(own->second, environment)};
    }
    return {expand_home("~/.ollama/models", environment), "/usr/share/ollama/.ollama/models"};
}

OllamaFiles read_ollama_store(const std::string& root) {
    OllamaFiles found;
    const auto manifests = root + "/manifests";
    std::error_code failure;
    fs::recursive_directory_iterator entry(manifests, fs::directory_options::skip_permission_denied,
                                           failure);
    if (failure) {
        return found;
    }
    found.folders = {root + "/blobs", manifests};
    std::vector<std::string> paths;
    for (; entry != fs::recursive_directory_iterator() && !failure; entry.increment(failure)) {
        std::error_code gone;
        if (entry->is_directory(gone)) {
            found.folders.push_back(entry->path().string());
            if (entry.depth() >= manifest_depth) {
                entry.disable_recursion_pending();
            }
        } else if (entry->is_regular_file(gone) && paths.size() < most_manifests) {
            paths.push_back(entry->path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        add_manifest(root, path, found);
    }
    return found;
}

}  // namespace routerd::sources
