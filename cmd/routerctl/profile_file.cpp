#include "cmd/routerctl/profile_file.hpp"

#include <sstream>
#include <vector>

#include <toml++/toml.h>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

Error bad(const std::string& name, const toml::source_region& where, const std::string& what) {
    return {Errc::invalid_request, name + ":" + std::to_string(where.begin.line) + ":" +
                                       std::to_string(where.begin.column) + ": " + what};
}

Result<std::vector<std::string>> read_names(const std::string& name, const toml::node& node) {
    std::vector<std::string> names;
    const auto* list = node.as_array();
    if (list == nullptr) {
        return bad(name, node.source(), "must be a list of model names");
    }
    for (const auto& item : *list) {
        const auto text = item.value<std::string>();
        if (!text) {
            return bad(name, item.source(), "must be a model's name");
        }
        names.push_back(*text);
    }
    return names;
}

/// A value as `set` takes it: text as it is, everything else as TOML writes it.
std::string setting_text(const toml::node& node) {
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    std::ostringstream out;
    node.visit([&out](const auto& value) { out << value; });
    return out.str();
}

Result<void> read_overrides(const std::string& name, const toml::node& node,
                            api::Profile& profile) {
    const auto* models = node.as_table();
    if (models == nullptr) {
        return bad(name, node.source(), "'overrides' must be a table");
    }
    for (const auto& [model, settings] : *models) {
        const auto* keys = settings.as_table();
        if (keys == nullptr) {
            return bad(name, settings.source(), "must be a table of settings");
        }
        auto& target = profile.overrides[std::string(model.str())];
        for (const auto& [key, value] : *keys) {
            target[std::string(key.str())] = setting_text(value);
        }
    }
    return {};
}

Result<void> read_key(const std::string& name, const std::string& key, const toml::node& value,
                      api::Profile& profile) {
    if (key == "enabled_models" || key == "preload") {
        const auto names = read_names(name, value);
        if (!names) {
            return names.error();
        }
        (key == "preload" ? profile.preload : profile.enabled_models) = *names;
        return {};
    }
    if (key == "overrides") {
        return read_overrides(name, value, profile);
    }
    const auto text = value.value<std::string>();
    const bool known = key == "description" || key == "default_model";
    if (!known) {
        const auto near = nearest(
            key, {"description", "enabled_models", "preload", "default_model", "overrides"});
        const auto error = bad(name, value.source(), "unknown key '" + escaped(key) + "'");
        return near.empty() ? error : error.with_hint("did you mean '" + near + "'?");
    }
    if (!text) {
        return bad(name, value.source(), "'" + key + "' must be text");
    }
    if (key == "description") {
        profile.description = *text;
    } else {
        profile.default_model = *text;
    }
    return {};
}

toml::array to_array(const std::vector<std::string>& names) {
    toml::array list;
    for (const auto& name : names) {
        list.push_back(name);
    }
    return list;
}

}  // namespace

Result<api::Profile> parse_profile(std::string_view text, const std::string& name) {
    toml::table table;
    try {
        table = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return bad(name, error.source(), std::string(error.description()));
    }
    api::Profile profile;
    for (const auto& [key, value] : table) {
        const auto read = read_key(name, std::string(key.str()), value, profile);
        if (!read) {
            return read.error();
        }
    }
    return profile;
}

std::string render_profile(const api::Profile& profile) {
    toml::table table;
    table.insert("description", profile.description);
    if (profile.enabled_models) {
        table.insert("enabled_models", to_array(*profile.enabled_models));
    }
    if (profile.preload) {
        table.insert("preload", to_array(*profile.preload));
    }
    if (profile.default_model) {
        table.insert("default_model", *profile.default_model);
    }
    toml::table overrides;
    for (const auto& [model, settings] : profile.overrides) {
        toml::table keys;
        for (const auto& [key, value] : settings) {
            keys.insert(key, value);
        }
        overrides.insert(model, std::move(keys));
    }
    if (!overrides.empty()) {
        table.insert("overrides", std::move(overrides));
    }
    std::ostringstream out;
    out << table << '\n';
    return out.str();
}

}  // namespace routerd::ctl
