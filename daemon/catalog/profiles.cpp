#include "daemon/catalog/profiles.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/names.hpp"

namespace routerd {
namespace {

constexpr std::size_t longest_name = 64;

template <class T>
void put(nlohmann::json& json, const char* name, const std::optional<T>& field) {
    if (field) {
        json[name] = *field;
    }
}

template <class T>
void take(const nlohmann::json& json, const char* name, std::optional<T>& field) {
    if (const auto found = json.find(name); found != json.end()) {
        field = found->get<T>();
    }
}

Result<void> to_ids(std::optional<std::vector<std::string>>& names, const Snapshot& snapshot) {
    if (!names) {
        return {};
    }
    for (auto& name : *names) {
        if (name == "*") {
            continue;
        }
        const auto model = model_named(snapshot, name);
        if (!model) {
            return model.error();
        }
        name = (*model)->id;
    }
    return {};
}

Result<void> check_overrides(Profile& profile, const Snapshot& snapshot) {
    std::map<std::string, KeyValues> by_id;
    for (const auto& [name, texts] : profile.overrides) {
        const auto model = model_named(snapshot, name);
        if (!model) {
            return model.error();
        }
        ModelConfig config;
        for (const auto& [key, text] : texts) {
            if (const auto set = set_model_key(config, key, text); !set) {
                return set.error().within("overrides of '" + (*model)->id + "'");
            }
        }
        for (auto& [key, text] : model_config_to_texts(config)) {
            by_id[(*model)->id].insert_or_assign(key, std::move(text));
        }
    }
    profile.overrides = std::move(by_id);
    return {};
}

}  // namespace

std::string profile_to_text(const Profile& profile) {
    nlohmann::json json{{"description", profile.description}, {"overrides", profile.overrides}};
    put(json, "enabled_models", profile.enabled_models);
    put(json, "preload", profile.preload);
    put(json, "default_model", profile.default_model);
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Profile> profile_from_text(std::string name, std::string_view text) {
    Profile profile;
    try {
        const auto json = nlohmann::json::parse(text);
        json.at("description").get_to(profile.description);
        json.at("overrides").get_to(profile.overrides);
        take(json, "enabled_models", profile.enabled_models);
        take(json, "preload", profile.preload);
        take(json, "default_model", profile.default_model);
    } catch (const nlohmann::json::exception& error) {
        return Error(Errc::invalid_request, "read profile '" + name + "': " + error.what());
    }
    profile.name = std::move(name);
    return profile;
}

Result<Profile> checked_profile(Profile profile, const Snapshot& snapshot) {
    if (trim(profile.name).empty() || profile.name.size() > longest_name) {
        return Error(Errc::invalid_request,
                     "a profile's name has 1 to " + std::to_string(longest_name) + " characters");
    }
    profile.name = slug(profile.name);
    profile.description = valid_utf8(profile.description);
    for (auto* names : {&profile.enabled_models, &profile.preload}) {
        if (const auto known = to_ids(*names, snapshot); !known) {
            return known.error().within("profile '" + profile.name + "'");
        }
    }
    if (profile.default_model) {
        const auto model = model_named(snapshot, *profile.default_model);
        if (!model) {
            return model.error().within("profile '" + profile.name + "'");
        }
        profile.default_model = (*model)->id;
    }
    if (const auto checked = check_overrides(profile, snapshot); !checked) {
        return checked.error().within("profile '" + profile.name + "'");
    }
    return profile;
}

Overrides overrides_under(const Profile& profile, Overrides overrides) {
    for (auto at = overrides.begin(); at != overrides.end();) {
        auto& [id, texts] = *at;
        if (profile.enabled_models) {
            texts.erase("enabled");
        }
        if (const auto decided = profile.overrides.find(id); decided != profile.overrides.end()) {
            for (const auto& [key, text] : decided->second) {
                texts.erase(key);
            }
        }
        at = texts.empty() ? overrides.erase(at) : std::next(at);
    }
    return overrides;
}

}  // namespace routerd
