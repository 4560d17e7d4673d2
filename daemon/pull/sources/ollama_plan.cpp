#include "daemon/pull/sources/ollama_plan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "daemon/pull/names.hpp"

namespace routerd::pull {
namespace {

/// The folder of a model's files, below that of all downloads.
std::string folder_of(const OllamaReference& reference) {
    auto host = reference.host;
    std::replace(host.begin(), host.end(), ':', '_');
    return "ollama/" + (host.empty() ? "" : host + "/") + reference.space + "/" + reference.name +
           "/" + reference.tag;
}

std::vector<std::string> notes_of(const std::vector<OllamaLayer>& layers) {
    const auto count = [&layers](std::string_view kind) {
        return std::count_if(layers.begin(), layers.end(),
                             [kind](const auto& layer) { return layer.kind == kind; });
    };
    std::vector<std::string> notes;
    if (count("model") > 1 || count("projector") > 1) {
        notes.emplace_back("it has several files of weights, of which the first is taken");
    }
    if (count("adapter") > 0) {
        notes.emplace_back("its adapter (LoRA) is left out");
    }
    if (count("system") > 0) {
        notes.emplace_back("its system prompt is left out: clients send their own");
    }
    return notes;
}

}  // namespace

std::string model_name(const OllamaReference& reference) {
    std::string name;
    if (!reference.host.empty()) {
        name += reference.host + "/";
    }
    if (reference.space != "library" || !name.empty()) {
        name += reference.space + "/";
    }
    return name + reference.name + ":" + reference.tag;
}

Result<Plan> plan_of(const OllamaReference& reference, const std::string& repository,
                     const std::vector<OllamaLayer>& layers) {
    const auto* model = first_of(layers, "model");
    if (model == nullptr) {
        return Error(Errc::not_found, "it has no weights in a GGUF file")
            .with_hint("models of Ollama's cloud and those in other formats cannot be pulled");
    }
    const auto file = reference.name + "-" + reference.tag + ".gguf";
    std::vector<std::pair<const OllamaLayer*, std::string>> wanted{{model, file}};
    if (const auto* projector = first_of(layers, "projector"); projector != nullptr) {
        wanted.emplace_back(projector, "mmproj-" + file);  // the catalogue pairs by that name
    }
    Plan plan;
    plan.name = model_name(reference);
    for (const auto& [layer, name] : wanted) {
        auto path = checked_path(folder_of(reference) + "/" + name);
        if (!path) {
            return path.error();
        }
        RemoteFile remote;
        remote.path = std::move(*path);
        remote.url = repository + "/blobs/sha256:" + layer->sha256;
        remote.size = layer->size;
        remote.sha256 = layer->sha256;
        plan.files.push_back(std::move(remote));
    }
    plan.notes = notes_of(layers);
    return plan;
}

}  // namespace routerd::pull
