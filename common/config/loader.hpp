#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/config/load.hpp"
#include "common/config/raw_value.hpp"
#include "common/config/table.hpp"

namespace routerd {

/// Puts one source after the other into a Config and remembers for every key where its value came
/// from. Problems are collected; what was wrong leaves the value before it.
class Loader {
  public:
    explicit Loader(LoadedConfig& loaded) noexcept : loaded_(&loaded) {}

    /// A whole document: a table of sections.
    void read_document(const RawValue& root);

    /// One key from somewhere else than a file. `where` is for problems and origin.
    void read_text(const std::string& key, const std::string& text, const std::string& where);

    /// For what is wrong beyond single keys.
    void problem(std::string where, std::string message, std::string hint = {});

    /// An unknown key, with the nearest one.
    void unknown_key(const std::string& where, const std::string& key);

    bool has(std::string_view key) const { return origins_.contains(key); }

    /// Where the value of `key` came from: "default" when from nowhere.
    std::string origin_of(std::string_view key) const;

    /// Every effective value with its origin, in the order of the table.
    std::vector<ConfigValue> values() const;

  private:
    void read_section(const std::string& section, const RawValue& table);
    void read_models(const RawValue& table);
    void read_model(const std::string& id, const RawValue& table);
    void read_key(const ConfigKey& row, const RawValue& value);

    LoadedConfig* loaded_;
    std::map<std::string, std::string, std::less<>> origins_;  // by key
};

}  // namespace routerd
