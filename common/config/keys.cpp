#include "common/config/keys.hpp"

#include <set>

#include "common/config/model_keys.hpp"
#include "common/config/table.hpp"

namespace routerd {
namespace {

void add_model_difference(const std::string& id, const ModelConfig& before,
                          const ModelConfig& after, std::vector<std::string>& changed) {
    const auto old_texts = model_config_to_texts(before);
    const auto new_texts = model_config_to_texts(after);
    const std::map<std::string, std::string> old_values(old_texts.begin(), old_texts.end());
    const std::map<std::string, std::string> new_values(new_texts.begin(), new_texts.end());
    std::set<std::string> names;
    for (const auto* values : {&old_values, &new_values}) {
        for (const auto& [name, text] : *values) {
            names.insert(name);
        }
    }
    for (const auto& name : names) {
        const auto old_value = old_values.find(name);
        const auto new_value = new_values.find(name);
        if (old_value == old_values.end() || new_value == new_values.end() ||
            old_value->second != new_value->second) {
            changed.push_back(model_key(id, name));
        }
    }
}

}  // namespace

std::vector<KeyDescription> describe_keys() {
    std::vector<KeyDescription> keys;
    const Config defaults;
    for (const auto& row : config_table()) {
        if (row.from == ConfigKey::From::anywhere) {
            const auto text = row.text(defaults);
            const bool absent = text.empty() || text == "[]";  // said in words, or by the paths
            keys.push_back(
                {row.name, row.type, absent ? "" : toml_text(row, defaults), row.meaning});
        }
    }
    for (const auto& row : model_table()) {
        keys.push_back({"model.\"ID\"." + row.name, row.type, "", row.meaning});
    }
    return keys;
}

std::vector<std::string> difference(const Config& before, const Config& after) {
    std::vector<std::string> changed;
    for (const auto& row : config_table()) {
        if (row.text(before) != row.text(after)) {
            changed.push_back(row.name);
        }
    }
    std::set<std::string> ids;
    for (const auto* config : {&before, &after}) {
        for (const auto& [id, model] : config->model) {
            ids.insert(id);
        }
    }
    const auto of = [](const Config& config, const std::string& id) {
        const auto found = config.model.find(id);
        return found != config.model.end() ? found->second : ModelConfig{};
    };
    for (const auto& id : ids) {
        add_model_difference(id, of(before, id), of(after, id), changed);
    }
    return changed;
}

bool needs_restart(std::string_view key) {
    return key == "http.workers" || key == "state.dir" || key == "state.runtime_dir";
}

}  // namespace routerd
