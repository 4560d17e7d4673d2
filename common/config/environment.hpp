#pragma once

#include <string>
#include <vector>

#include "common/config/paths.hpp"

namespace routerd {

/// What one environment variable says about one key.
struct EnvironmentValue {
    std::string variable;
    std::string key;  ///< "http.listen"; for an unknown ROUTERD_… name, what it would be
    std::string text;
    bool known = true;  ///< false: no such key
};

struct EnvironmentValues {
    std::vector<EnvironmentValue> values;  ///< in the order in which they apply
    std::string config_file;               ///< from CONFIG_PATH, or empty
    std::vector<std::string> notes;        ///< variables that were recognised and ignored, and why
};

/// Finds what `environment` says: ROUTERD_<SECTION>_<KEY> for every key, and the names that other
/// programs of this kind use, which give way to those. Unset and empty foreign names are the same.
EnvironmentValues read_environment(const Environment& environment);

/// "http.max_body" is ROUTERD_HTTP_MAX_BODY.
std::string variable_name(const std::string& key);

}  // namespace routerd
