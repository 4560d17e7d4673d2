#include "common/config/loader.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace routerd {
namespace {

std::vector<std::string> section_names() {
    std::vector<std::string> names;
    for (const auto& key : config_table()) {
        if (std::find(names.begin(), names.end(), key.section()) == names.end()) {
            names.push_back(key.section());
        }
    }
    names.emplace_back("model");
    return names;
}

/// The key that was probably meant: near in its own section, or of the same name in another one.
std::string hint_for(const std::string& key) {
    std::vector<std::string> names;
    const auto section = key.substr(0, key.find('.'));
    const auto word = key.substr(std::min(key.size(), section.size() + 1));
    std::string elsewhere;
    for (const auto& row : config_table()) {
        if (row.section() == section) {
            names.push_back(row.name);
        } else if (row.name.substr(row.section().size() + 1) == word) {
            elsewhere = row.name;
        }
    }
    auto hint = did_you_mean(key, names);
    if (hint.empty() && !elsewhere.empty()) {
        hint = "did you mean '" + elsewhere + "'?";
    }
    return hint.empty() && !names.empty() ? "the keys there are " + join(names, ", ") : hint;
}

}  // namespace

void Loader::problem(std::string where, std::string message, std::string hint) {
    loaded_->problems.push_back({std::move(where), std::move(message), std::move(hint)});
}

void Loader::unknown_key(const std::string& where, const std::string& key) {
    problem(where, "unknown key '" + escaped(key) + "'", hint_for(key));
}

void Loader::read_document(const RawValue& root) {
    const auto names = section_names();
    for (const auto& [name, value] : root.entries) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            const bool is_table = value.kind == RawValue::Kind::table;
            const auto hint = is_table ? did_you_mean(name, names) : hint_for("." + name);
            problem(value.key_where,
                    (is_table ? "unknown section '" : "unknown key outside a section '") +
                        escaped(name) + "'",
                    hint.empty() ? "the sections are " + join(names, ", ") : hint);
        } else if (value.kind != RawValue::Kind::table) {
            problem(value.where,
                    "'" + name + "' must be a section, not " + std::string(describe(value.kind)),
                    "write [" + name + "] on a line of its own, and its keys below");
        } else if (name == "model") {
            read_models(value);
        } else {
            read_section(name, value);
        }
    }
}

void Loader::read_section(const std::string& section, const RawValue& table) {
    for (const auto& [name, value] : table.entries) {
        const std::string key = section + "." + name;
        const auto* row = find_config_key(key);
        if (row == nullptr) {
            unknown_key(value.key_where, key);
        } else if (row->from == ConfigKey::From::command_line) {
            problem(value.key_where, "'" + key + "' can be given on the command line only");
        } else {
            read_key(*row, value);
        }
    }
}

void Loader::read_key(const ConfigKey& row, const RawValue& value) {
    const auto done = row.read(loaded_->config, value);
    if (done) {
        origins_[row.name] = value.origin;
    } else {
        problem(value.where, "'" + row.name + "': " + done.error().message());
    }
}

void Loader::read_models(const RawValue& table) {
    for (const auto& [id, value] : table.entries) {
        if (id.empty() || value.kind != RawValue::Kind::table) {
            problem(value.key_where, "'model." + escaped(id) + "' must be the section of a model",
                    "write [model.\"NAME\"], and the model's keys below");
        } else {
            read_model(id, value);
        }
    }
}

void Loader::read_model(const std::string& id, const RawValue& table) {
    auto& config = loaded_->config.model[id];
    for (const auto& [name, value] : table.entries) {
        std::string entry;
        const auto row = find_model_key(name, entry);
        if (!row || !entry.empty()) {
            problem(value.key_where,
                    "unknown key '" + escaped(name) + "' of model " + json_quoted(id),
                    row ? "write it as a table" : row.error().hint());
            continue;
        }
        const auto done = (*row)->read(config, value);
        if (!done) {
            problem(value.where, model_key(id, name) + ": " + done.error().message());
            continue;
        }
        origins_[model_key(id, name)] = value.origin;
        for (const auto& [entry_name, entry_value] : value.entries) {
            origins_[model_key(id, name + "." + entry_name)] = entry_value.origin;
        }
    }
}

void Loader::read_text(const std::string& key, const std::string& text, const std::string& where) {
    const auto* row = find_config_key(key);
    if (row == nullptr) {
        unknown_key(where, key);
        return;
    }
    auto value = raw_text(text);
    value.where = where;
    value.origin = where;
    read_key(*row, value);
}

std::string Loader::origin_of(std::string_view key) const {
    const auto found = origins_.find(key);
    return found != origins_.end() ? found->second : "default";
}

std::vector<ConfigValue> Loader::values() const {
    std::vector<ConfigValue> values;
    for (const auto& row : config_table()) {
        values.push_back({row.name, toml_text(row, loaded_->config), origin_of(row.name)});
    }
    for (const auto& [id, config] : loaded_->config.model) {
        for (const auto& row : model_table()) {
            if (const auto text = row.text(config)) {
                const auto key = model_key(id, row.name);
                values.push_back({key, row.is_string ? json_quoted(*text) : *text, origin_of(key)});
            }
            if (row.entries == nullptr) {
                continue;
            }
            for (const auto& [name, text] : config.*row.entries) {
                const auto key = model_key(id, row.name + "." + name);
                values.push_back(
                    {key, row.name == "env" ? json_quoted(text) : text, origin_of(key)});
            }
        }
    }
    return values;
}

}  // namespace routerd
