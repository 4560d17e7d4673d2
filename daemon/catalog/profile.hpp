#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace routerd {

/// The keys of one [model."id"] table as text: what `routerctl set` takes and the store keeps.
using KeyValues = std::map<std::string, std::string>;

/// One edit of a KeyValues; nullopt unsets the key.
struct KeyChange {
    std::string key;
    std::optional<std::string> value;
};

/// A named way to run the machine: which models may be used and how. While it is active it is a
/// layer between the configuration file and the user's own overrides.
struct Profile {
    std::string name;  ///< a slug: lower-case letters, digits, '-' and '_'
    std::string description;
    std::optional<std::vector<std::string>> enabled_models;  ///< ids; absent: as configured
    std::map<std::string, KeyValues> overrides;              ///< by model id
    std::optional<std::vector<std::string>> preload;         ///< absent: as configured
    std::optional<std::string> default_model;                ///< absent: as it is when used
    bool active = false;                                     ///< filled in by Catalog, not stored
};

}  // namespace routerd
