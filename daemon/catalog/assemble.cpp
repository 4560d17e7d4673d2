#include "daemon/catalog/assemble.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/traits.hpp"

namespace routerd {
namespace {

ModelConfig parsed(const KeyValues& texts) {
    ModelConfig config;
    for (const auto& [key, text] : texts) {
        if (const auto set = set_model_key(config, key, text); !set) {
            continue;  // of another version; `unset` removes it
        }
    }
    return config;
}

template <class Map>
typename Map::mapped_type value_or_default(const Map& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? typename Map::mapped_type{} : found->second;
}

void settle(const FoundModel& found, const Layers& layers, Model& model) {
    auto base = value_or_default(layers.config, found.id);
    if (layers.profile) {
        base = overlay(base, parsed(value_or_default(layers.profile->overrides, found.id)));
        if (const auto& chosen = layers.profile->enabled_models) {
            base.enabled = std::find(chosen->begin(), chosen->end(), found.id) != chosen->end();
        }
    }
    model.overrides = parsed(value_or_default(layers.overrides, found.id));
    model.settings = overlay(base, model.overrides);
    model.enabled = model.settings.enabled.value_or(true);
    model.pinned = model.settings.pin.value_or(false);
}

void judge(const FoundModel& found, const TiersConfig& tiers, Model& model) {
    const auto& settings = model.settings;
    model.thinking = settings.thinking.value_or(thinking_of(model.metadata, found.stem));
    model.thinking_overridden = settings.thinking.has_value();
    model.metadata.quantization = quantization_of(model.metadata, found.stem);
    model.metadata.parameters = parameters_of(model.metadata, found.stem);
    model.tier = settings.tier.value_or(
        tier_of(model.metadata.parameters, model.metadata.quantization, model.thinking, tiers));
    model.tier_overridden = settings.tier.has_value();
    model.capabilities =
        capabilities_of(model.metadata, !found.mmproj.empty() && found.mmproj_sees, model.thinking);
}

/// What the model is also called, the user's own words first.
std::vector<std::string> wanted_aliases(const FoundModel& found, const Model& model) {
    auto aliases = model.settings.aliases.value_or(std::vector<std::string>());
    aliases.insert(aliases.end(), found.aliases.begin(), found.aliases.end());
    if (!found.repo.empty()) {
        auto quantization = quantization_in(stem_of(base_name(found.files.front())));
        quantization = quantization.empty() ? quantization_in(found.stem) : quantization;
        quantization = quantization.empty() ? model.metadata.quantization : quantization;
        if (!quantization.empty()) {
            std::transform(
                quantization.begin(), quantization.end(), quantization.begin(),
                [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
            aliases.push_back(found.repo + ":" + quantization);
        }
    }
    return aliases;
}

std::shared_ptr<Model> build(const FoundModel& found, const Layers& layers) {
    auto model = std::make_shared<Model>();
    model->id = found.id;
    model->source = found.source;
    model->files = found.files;
    model->mmproj = found.mmproj;
    model->projector = found.projector;
    model->adapters = found.adapters;
    model->size_bytes = found.size_bytes;
    model->modified = WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::nanoseconds(found.modified_ns)));
    model->metadata = *found.metadata;
    model->display_name = escaped(model->metadata.name.empty() ? found.stem : model->metadata.name);
    settle(found, layers, *model);
    judge(found, layers.tiers, *model);
    model->aliases = wanted_aliases(found, *model);
    return model;
}

/// Those that the configuration says are elsewhere. A file of the same name is not offered.
std::vector<FoundModel> elsewhere(const std::map<std::string, ModelConfig>& config) {
    std::vector<FoundModel> all;
    for (const auto& [id, model] : config) {
        if (model.url) {
            FoundModel remote;
            remote.id = id;
            remote.stem = id;
            remote.source = Source::remote;
            remote.metadata = std::make_shared<const gguf::Metadata>();
            all.push_back(std::move(remote));
        }
    }
    return all;
}

/// Ids first, then aliases in the order of the ids: a name means one model only, and an alias that
/// is taken is dropped from the model that came later.
void give_names(std::vector<std::shared_ptr<Model>>& models, Snapshot& snapshot) {
    for (std::size_t i = 0; i < models.size(); ++i) {
        snapshot.names.emplace(to_lower(models[i]->id), i);
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
        std::erase_if(models[i]->aliases, [&snapshot, i](const std::string& alias) {
            return alias.empty() || !snapshot.names.emplace(to_lower(alias), i).second;
        });
    }
}

std::string default_of(const Snapshot& snapshot, const Layers& layers) {
    for (const auto& name : {layers.chosen_default, layers.configured_default}) {
        const auto* model = snapshot.find(name);
        if (model != nullptr && model->enabled) {
            return model->id;
        }
    }
    std::string only;
    for (const auto& model : snapshot.models) {
        if (model->enabled && !only.empty()) {
            return {};
        }
        only = model->enabled ? model->id : only;
    }
    return only;
}

}  // namespace

const Model* Snapshot::find(std::string_view name) const {
    const auto found = names.find(to_lower(name));
    return found == names.end() ? nullptr : models[found->second].get();
}

Snapshot assemble(const Found& found, const Layers& layers) {
    std::vector<std::shared_ptr<Model>> models;
    models.reserve(found.models.size());
    for (const auto& one : found.models) {
        const auto config = layers.config.find(one.id);
        if (config == layers.config.end() || !config->second.url) {
            models.push_back(build(one, layers));
        }
    }
    for (const auto& one : elsewhere(layers.config)) {
        models.push_back(build(one, layers));
    }
    std::ranges::sort(
        models, {}, [](const auto& model) -> const auto& { return model->id; });
    Snapshot snapshot;
    snapshot.names.reserve(2 * models.size());
    give_names(models, snapshot);
    snapshot.models.assign(models.begin(), models.end());
    snapshot.broken = found.broken;
    snapshot.scanned = std::chrono::system_clock::now();
    snapshot.default_model = default_of(snapshot, layers);
    return snapshot;
}

}  // namespace routerd
