#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/raw_value.hpp"
#include "common/config/value_types.hpp"

namespace routerd {

/// One key of a section: the only place that says its name, type, limits and meaning.
struct ConfigKey {
    enum class From { anywhere, command_line };

    std::string name;  ///< "http.max_body"
    std::string type;
    std::string meaning;
    std::function<Result<void>(Config&, const RawValue&)> read;
    std::function<std::string(const Config&)> text;  ///< what read() takes back
    bool is_string = false;                          ///< text() wants quotes in TOML
    bool secret = false;                             ///< never printed
    From from = From::anywhere;

    std::string section() const { return name.substr(0, name.find('.')); }
};

/// In the order of the manual.
const std::vector<ConfigKey>& config_table();

const ConfigKey* find_config_key(std::string_view name);

/// As TOML, with secrets hidden.
std::string toml_text(const ConfigKey& key, const Config& config);

/// One key of [model."id"]. Absent values have no text.
struct ModelKey {
    std::string name;  ///< "context"; "set" and "env" stand for all their names
    std::string type;
    std::string meaning;
    std::function<Result<void>(ModelConfig&, const RawValue&)> read;
    std::function<std::optional<std::string>(const ModelConfig&)> text;
    std::function<void(ModelConfig&)> clear;
    std::function<void(ModelConfig&, const ModelConfig&)> overlay;
    bool is_string = false;
    bool only_in_files = false;  ///< not for `routerctl set` and profiles

    /// For "set" and "env", whose values are single entries; else nullptr.
    StringMap ModelConfig::*entries = nullptr;
    Result<std::string> (*read_entry)(const RawValue&) = nullptr;
};

const std::vector<ModelKey>& model_table();

/// As problems and origins have it: model."ID".KEY.
std::string model_key(const std::string& id, const std::string& key);

/// The row of `name`; of "set" and "env" also for "set.temperature", whose entry name goes into
/// `entry`. Errors: invalid_request with the nearest key.
Result<const ModelKey*> find_model_key(std::string_view name, std::string& entry);

/// The nearest of `candidates` as a hint, "did you mean 'x'?"; empty when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace routerd
