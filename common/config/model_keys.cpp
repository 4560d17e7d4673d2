#include "common/config/model_keys.hpp"

#include "common/base/text.hpp"
#include "common/config/table.hpp"
#include "common/config/tier.hpp"
#include "common/http/url.hpp"

namespace routerd {
namespace {

template <class T>
ModelKey key(std::string name, std::optional<T> ModelConfig::*field, ValueType<T> type,
             std::string meaning) {
    ModelKey row;
    row.name = std::move(name);
    row.type = type.name;
    row.meaning = std::move(meaning);
    row.is_string = type.is_string;
    row.read = [field, read = type.read](ModelConfig& config,
                                         const RawValue& value) -> Result<void> {
        auto parsed = read(value);
        if (!parsed) {
            return parsed.error();
        }
        config.*field = std::move(*parsed);
        return {};
    };
    row.text = [field, text = type.text](const ModelConfig& config) {
        return config.*field ? std::optional(text(*(config.*field))) : std::nullopt;
    };
    row.clear = [field](ModelConfig& config) { (config.*field).reset(); };
    row.overlay = [field](ModelConfig& config, const ModelConfig& over) {
        if (over.*field) {
            config.*field = over.*field;
        }
    };
    return row;
}

/// A key whose value is a table of entries.
ModelKey table_key(std::string name, StringMap ModelConfig::*entries,
                   Result<std::string> (*read_entry)(const RawValue&), std::string meaning) {
    ModelKey row;
    row.name = std::move(name);
    row.type = "table";
    row.meaning = std::move(meaning);
    row.entries = entries;
    row.read_entry = read_entry;
    row.read = [entries, read_entry](ModelConfig& config, const RawValue& value) -> Result<void> {
        if (value.kind != RawValue::Kind::table) {
            return wrong_type("a table", value);
        }
        for (const auto& [entry_name, entry] : value.entries) {
            if (entry_name.empty()) {
                return Error(Errc::invalid_request, "an entry has no name")
                    .with_hint("write NAME = VALUE");
            }
            const auto text = read_entry(entry);
            if (!text) {
                return text.error().within(entry_name);
            }
            (config.*entries)[entry_name] = *text;
        }
        return {};
    };
    row.text = [](const ModelConfig&) { return std::nullopt; };
    row.clear = [entries](ModelConfig& config) { (config.*entries).clear(); };
    row.overlay = [entries](ModelConfig& config, const ModelConfig& over) {
        for (const auto& [entry_name, text] : over.*entries) {
            (config.*entries)[entry_name] = text;
        }
    };
    return row;
}

std::string complain_about_alias(const std::string& alias) {
    const bool good = !alias.empty() && alias.size() <= 200 && escaped(alias) == alias &&
                      alias.find_first_of(" \t") == std::string::npos;
    return good ? "" : "'" + escaped(alias) + "' cannot be an alias: 1 to 200 bytes without spaces";
}

void add_server_keys(std::vector<ModelKey>& keys) {
    using M = ModelConfig;
    constexpr unsigned most_tokens = 1U << 28U;
    const auto cache_types =
        choice_type({"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"});
    keys.push_back(
        key("path", &M::path, string_type(), "model file outside the scanned directories"));
    keys.push_back(key("backend", &M::backend, choice_type({"llama-server", "remote"}),
                       "kind of server that runs the model; remote: url says where it is"));
    keys.push_back(key("args", &M::args, words_type(),
                       "arguments passed to the server unchanged, after all others"));
    keys.push_back(key("context", &M::context, count_type(1U, most_tokens),
                       "tokens of context for each slot"));
    keys.push_back(key("parallel", &M::parallel, count_type(1U, most_slots),
                       "slots: requests answered at a time"));
    keys.push_back(key("cache_type_k", &M::cache_type_k, cache_types, "type of the cached keys"));
    keys.push_back(key("cache_type_v", &M::cache_type_v, cache_types, "type of the cached values"));
    keys.push_back(
        key("gpu_layers", &M::gpu_layers, count_type(-1, 100'000), "layers on GPUs; -1: all"));
    keys.push_back(key("devices", &M::devices, strings_type(), "devices the model may use"));
    keys.push_back(key("lora", &M::lora, strings_type(), "LoRA adapter files"));
}

std::string complain_about_base_url(const std::string& text) {
    const auto url = http::parse_url(text);
    if (!url) {
        return "must be a URL such as https://example.org/v1; " + url.error().message();
    }
    return url->target.find('?') == std::string::npos ? "" : "must not have a query";
}

std::string complain_about_name(const std::string& name) {
    return name.empty() ? "must not be empty" : "";
}

/// Where prompts and a key go is for the configuration alone to say, not for whoever may change
/// settings.
void add_remote_keys(std::vector<ModelKey>& keys) {
    using M = ModelConfig;
    const auto add = [&keys](std::string name, std::optional<std::string> M::*field,
                             StringCheck check, std::string meaning) {
        keys.push_back(
            key(std::move(name), field, string_type(std::move(check)), std::move(meaning)));
        keys.back().only_in_files = true;
    };
    add("url", &M::url, complain_about_base_url,
        "base URL of a server elsewhere that has the model: nothing runs on this machine");
    add("key_file", &M::key_file, complain_about_name, "file with the key for that server");
    add("ca_file", &M::ca_file, complain_about_name,
        "PEM file with certificates of authorities that may vouch for that server, beside the "
        "system's");
    keys.push_back(key("remote_model", &M::remote_model, string_type(complain_about_name),
                       "what that server calls the model; its id otherwise"));
}

std::vector<ModelKey> make_model_table() {
    using M = ModelConfig;
    using namespace std::chrono_literals;
    std::vector<ModelKey> keys;
    add_server_keys(keys);
    add_remote_keys(keys);
    keys.push_back(key("aliases", &M::aliases, strings_type(complain_about_alias),
                       "further names of the model"));
    std::vector<std::pair<std::string, Tier>> tiers;
    for (const auto tier : all_tiers) {
        tiers.emplace_back(to_string(tier), tier);
    }
    keys.push_back(
        key("tier", &M::tier, named_type(tiers), "class of the model, when not derived"));
    keys.push_back(key("thinking", &M::thinking, boolean_type(),
                       "whether the model thinks before it answers, when not derived"));
    keys.push_back(key("enabled", &M::enabled, boolean_type(), "whether the model is offered"));
    keys.push_back(
        key("pin", &M::pin, boolean_type(), "never unload it to make room or for being idle"));
    keys.push_back(key("idle_unload", &M::idle_unload, duration_type(0ms, 24h * 366),
                       "as limits.idle_unload, for this model"));
    keys.push_back(key("instances", &M::instances, count_type(1U, 64U),
                       "servers of this model at most; further ones start when requests find no "
                       "slot, where there is room to spare"));
    keys.push_back(key("groups", &M::groups, strings_type(),
                       "groups that the model is in: of one, only one model is loaded at a time"));
    keys.push_back(
        table_key("set", &M::set, read_json_entry, "fields of requests that get this value"));
    keys.push_back(key("strip", &M::strip, strings_type(), "fields of requests that are removed"));
    keys.push_back(
        table_key("env", &M::env, read_string_entry, "environment variables of the server"));
    return keys;
}

}  // namespace

const std::vector<ModelKey>& model_table() {
    static const std::vector<ModelKey> table = make_model_table();
    return table;
}

std::string model_key(const std::string& id, const std::string& key) {
    return "model." + json_quoted(id) + "." + key;
}

Result<const ModelKey*> find_model_key(std::string_view name, std::string& entry) {
    const auto dot = name.find('.');
    const auto head = name.substr(0, dot);
    for (const auto& row : model_table()) {
        const bool is_entry = dot != std::string_view::npos;
        if (row.name != head || (is_entry && row.entries == nullptr)) {
            continue;
        }
        entry = is_entry ? name.substr(dot + 1) : std::string_view();
        if (is_entry && entry.empty()) {
            return Error(Errc::invalid_request, "'" + escaped(name) + "' names no entry")
                .with_hint("write '" + row.name + ".NAME'");
        }
        return &row;
    }
    const auto hint = did_you_mean(name, model_key_names());
    return Error(Errc::invalid_request, "unknown key '" + escaped(name) + "'")
        .with_hint(hint.empty() ? "the keys of a model are " + join(model_key_names(), ", ")
                                : hint);
}

Result<void> set_model_key(ModelConfig& config, std::string_view name, std::string_view text) {
    std::string entry;
    const auto row = find_model_key(name, entry);
    if (!row) {
        return row.error();
    }
    if ((*row)->only_in_files) {
        return Error(Errc::invalid_request, "'" + (*row)->name + "' is for the configuration alone")
            .with_hint(
                "write it under [model.\"NAME\"] in routerd.toml, then routerctl config "
                "reload");
    }
    const RawValue value = raw_text(text);
    if (entry.empty()) {
        if ((*row)->entries != nullptr) {
            return Error(Errc::invalid_request, "'" + std::string(name) + "' holds entries")
                .with_hint("set one of them: " + std::string(name) + ".NAME=VALUE");
        }
        const auto done = (*row)->read(config, value);
        return done ? done : Result<void>(done.error().within(std::string(name)));
    }
    const auto parsed = (*row)->read_entry(value);
    if (!parsed) {
        return parsed.error().within(escaped(name));
    }
    (config.*(*row)->entries)[entry] = *parsed;
    return {};
}

Result<void> unset_model_key(ModelConfig& config, std::string_view name) {
    std::string entry;
    const auto row = find_model_key(name, entry);
    if (!row) {
        return row.error();
    }
    if (entry.empty()) {
        (*row)->clear(config);
    } else {
        (config.*(*row)->entries).erase(entry);
    }
    return {};
}

std::vector<std::pair<std::string, std::string>> model_config_to_texts(const ModelConfig& config) {
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& row : model_table()) {
        if (row.entries != nullptr) {
            for (const auto& [entry, text] : config.*row.entries) {
                texts.emplace_back(row.name + "." + entry, text);
            }
        } else if (auto text = row.text(config)) {
            texts.emplace_back(row.name, std::move(*text));
        }
    }
    return texts;
}

ModelConfig overlay(const ModelConfig& base, const ModelConfig& over) {
    ModelConfig result = base;
    for (const auto& row : model_table()) {
        row.overlay(result, over);
    }
    return result;
}

std::vector<std::string> model_key_names() {
    std::vector<std::string> names;
    for (const auto& row : model_table()) {
        names.push_back(row.name);
    }
    return names;
}

}  // namespace routerd
