#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/api/list.hpp"

namespace routerd::api {

/// A named set of settings for the whole catalogue, put into force as one change.
struct Profile {
    std::string name;  ///< lower-case letters, digits, '-' and '_'
    std::string description;
    /// Models that are enabled under it; all others are not. Null leaves that as it is.
    std::optional<std::vector<std::string>> enabled_models;
    /// Model → key of [model."id"] → value as `set` takes it.
    std::map<std::string, std::map<std::string, std::string>> overrides;
    /// Loaded when it comes into force and at start. Null: as configured.
    std::optional<std::vector<std::string>> preload;
    std::optional<std::string> default_model;  ///< null leaves it as it is
    bool active = false;                       ///< read only: in force now
};

using ProfileList = List<Profile>;

}  // namespace routerd::api
