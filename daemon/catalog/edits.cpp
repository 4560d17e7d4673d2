#include "daemon/catalog/edits.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"

namespace routerd {

Result<KeyValues> edited(const KeyValues& before, const std::vector<KeyChange>& changes) {
    ModelConfig config;
    for (const auto& [key, text] : before) {
        if (const auto set = set_model_key(config, key, text); !set) {
            continue;  // written by another version: gone with this edit
        }
    }
    for (const auto& change : changes) {
        const auto done = change.value ? set_model_key(config, change.key, *change.value)
                                       : unset_model_key(config, change.key);
        if (!done) {
            return done.error();
        }
    }
    KeyValues after;
    for (auto& [key, text] : model_config_to_texts(config)) {
        after.insert_or_assign(std::move(key), std::move(text));
    }
    return after;
}

Result<void> check_aliases(const Model& model, const KeyValues& texts, const Snapshot& snapshot) {
    const auto aliases = texts.find("aliases");
    if (aliases == texts.end()) {
        return {};
    }
    ModelConfig config;
    if (const auto set = set_model_key(config, "aliases", aliases->second); !set) {
        return set.error();
    }
    for (const auto& alias : config.aliases.value_or(std::vector<std::string>())) {
        const auto* other = snapshot.find(alias);
        if (other != nullptr && other->id != model.id) {
            return Error(Errc::conflict,
                         "'" + escaped(alias) + "' is already a name of '" + other->id + "'");
        }
        if (trim(alias).empty() || iequals(alias, "default") || iequals(alias, "auto") ||
            to_lower(alias).starts_with("tier:")) {
            return Error(Errc::invalid_request, "'" + escaped(alias) + "' cannot be an alias")
                .with_hint("'auto', 'default' and 'tier:…' mean something else in a request");
        }
    }
    return {};
}

std::vector<OverrideChange> override_changes(const std::string& model, const KeyValues& before,
                                             const KeyValues& after) {
    std::vector<OverrideChange> changes;
    for (const auto& [key, text] : before) {
        if (!after.contains(key)) {
            changes.push_back({model, key, std::nullopt});
        }
    }
    for (const auto& [key, text] : after) {
        const auto old = before.find(key);
        if (old == before.end() || old->second != text) {
            changes.push_back({model, key, text});
        }
    }
    return changes;
}

std::vector<OverrideRow> to_rows(const Overrides& overrides) {
    std::vector<OverrideRow> rows;
    for (const auto& [model, texts] : overrides) {
        for (const auto& [key, text] : texts) {
            rows.push_back({model, key, text});
        }
    }
    return rows;
}

Overrides from_rows(const std::vector<OverrideRow>& rows) {
    Overrides overrides;
    for (const auto& row : rows) {
        overrides[row.model][row.key] = row.value;
    }
    return overrides;
}

}  // namespace routerd
