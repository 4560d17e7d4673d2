#include "daemon/proxy/resolve.hpp"

#include "common/base/text.hpp"
#include "common/config/tier.hpp"
#include "daemon/catalog/names.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

using ModelPtr = std::shared_ptr<const Model>;

constexpr std::string_view tier_prefix = "tier:";

Result<ModelPtr> by_name(const Snapshot& snapshot, std::string_view name) {
    auto model = model_named(snapshot, name);
    if (model && !(*model)->enabled) {
        return Error(Errc::model_not_found, "model '" + (*model)->id + "' is disabled")
            .with_param("model")
            .with_hint("routerctl enable " + (*model)->id);
    }
    return model;
}

Result<ModelPtr> by_tier(const Snapshot& snapshot, const Fleet& fleet, std::string_view word) {
    const auto tier = tier_from_string(word);
    if (!tier) {
        return Error(Errc::model_not_found,
                     "there is no tier '" + escaped(word.substr(0, 128)) + "'")
            .with_param("model")
            .with_hint("tiers are fast, balanced and powerful");
    }
    ModelPtr first;
    ModelPtr loaded;
    unsigned least_busy = 0;
    for (const auto& model : snapshot.models) {
        if (!model->enabled || model->tier != *tier || !model->capabilities.completion) {
            continue;
        }
        first = first ? first : model;
        const auto view = fleet.view(model->id);
        if (view.state == InstanceState::ready && (!loaded || view.busy < least_busy)) {
            loaded = model;
            least_busy = view.busy;
        }
    }
    if (!first) {
        return Error(Errc::model_not_found, "no enabled model is in tier '" + to_lower(word) + "'")
            .with_param("model");
    }
    return loaded ? loaded : first;
}

}  // namespace

Result<ModelPtr> resolve(const Snapshot& snapshot, const Fleet& fleet,
                         const std::optional<std::string>& name) {
    if (name && name->size() > tier_prefix.size() &&
        iequals(std::string_view(*name).substr(0, tier_prefix.size()), tier_prefix)) {
        return by_tier(snapshot, fleet, std::string_view(*name).substr(tier_prefix.size()));
    }
    if (name && !name->empty() && !iequals(*name, "default")) {
        return by_name(snapshot, *name);
    }
    if (snapshot.default_model.empty()) {
        return Error(Errc::invalid_request,
                     "the request names no model and there is no default one")
            .with_param("model")
            .with_hint("name one in \"model\", or choose the default with routerctl switch NAME");
    }
    return by_name(snapshot, snapshot.default_model);
}

}  // namespace routerd
