#pragma once

#include <string>
#include <vector>

#include "common/api/list.hpp"

namespace routerd::api {

/// One value of the effective configuration.
struct ConfigEntry {
    std::string key;     ///< "http.listen"
    std::string value;   ///< as TOML
    std::string origin;  ///< "default", "/etc/routerd/routerd.toml:3", "environment …"
};

using ConfigList = List<ConfigEntry>;

/// What a reload changed.
struct ReloadResult {
    std::vector<std::string> changed;           ///< keys in force now
    std::vector<std::string> restart_required;  ///< keys that wait for the daemon's next start
};

}  // namespace routerd::api
