#include "daemon/proxy/resolve.hpp"

#include "common/base/text.hpp"
#include "common/config/tier.hpp"
#include "daemon/catalog/names.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

using ModelPtr = std::shared_ptr<const Model>;

constexpr std::string_view tier_prefix = "tier:";

Result<Meant> by_name(const Snapshot& snapshot, std::string_view name) {
    auto model = model_named(snapshot, name);
    if (model && !(*model)->enabled) {
        return Error(Errc::model_not_found, "model '" + (*model)->id + "' is disabled")
            .with_param("model")
            .with_hint("routerctl enable " + (*model)->id);
    }
    return model ? Result<Meant>(Meant{*model, {}}) : model.error();
}

Result<Meant> by_tier(const Snapshot& snapshot, std::string_view word) {
    const auto tier = tier_from_string(word);
    if (!tier) {
        return Error(Errc::model_not_found,
                     "there is no tier '" + escaped(word.substr(0, 128)) + "'")
            .with_param("model")
            .with_hint("tiers are fast, balanced and powerful");
    }
    Meant meant;
    for (const auto& model : snapshot.models) {
        if (model->enabled && model->tier == *tier && model->capabilities.completion) {
            meant.tier.push_back(model);
        }
    }
    if (meant.tier.empty()) {
        return Error(Errc::model_not_found, "no enabled model is in tier '" + to_lower(word) + "'")
            .with_param("model");
    }
    return meant;
}

}  // namespace

std::vector<std::string> Meant::ids() const {
    std::vector<std::string> all;
    for (const auto& one : tier) {
        all.push_back(one->id);
    }
    return all;
}

Result<Meant> meaning_of(const std::optional<std::string>& name, const Snapshot& snapshot) {
    if (name && name->size() > tier_prefix.size() &&
        iequals(std::string_view(*name).substr(0, tier_prefix.size()), tier_prefix)) {
        return by_tier(snapshot, std::string_view(*name).substr(tier_prefix.size()));
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

Result<ModelPtr> resolve(const Snapshot& snapshot, const Fleet& fleet,
                         const std::optional<std::string>& name) {
    auto meant = meaning_of(name, snapshot);
    if (!meant) {
        return meant.error();
    }
    return meant->model ? meant->model : meant->tier[fleet.least_busy_now(meant->ids())];
}

Result<std::shared_ptr<const Model>> resolve(const Snapshot& snapshot, const Fleet& fleet,
                                             const std::optional<std::string>& name,
                                             const Caller& caller) {
    auto model = resolve(snapshot, fleet, name);
    if (!model) {
        return without_names(model.error(), caller);
    }
    if (!caller.may_use((*model)->id)) {
        return Error(Errc::forbidden,
                     "key '" + caller.key + "' may not use model '" + (*model)->id + "'");
    }
    return model;
}

Error without_names(const Error& error, const Caller& caller) {
    return caller.models == nullptr
               ? error
               : error.with_hint("GET /v1/models lists those that this key may use");
}

}  // namespace routerd
