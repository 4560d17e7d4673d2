#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/config/schema.hpp"
#include "daemon/catalog/found.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/catalog/profile.hpp"

namespace routerd {

/// User overrides by model id; the models need not be there now.
using Overrides = std::map<std::string, KeyValues>;

/// What is laid over the files, lowest first: configuration, active profile, overrides.
struct Layers {
    std::map<std::string, ModelConfig> config;
    TiersConfig tiers;
    std::string configured_default;
    std::optional<Profile> profile;
    Overrides overrides;
    std::string chosen_default;  ///< by `switch`
};

/// Builds the snapshot that everybody sees: what was found, and the models that the configuration
/// says are on servers elsewhere. Pure. Texts that no longer parse (keys of an older
/// version) are passed over. The default model is the chosen one, else the configured one, else the
/// only one that is enabled; a name that is not there or not enabled counts as not said.
Snapshot assemble(const Found& found, const Layers& layers);

}  // namespace routerd
