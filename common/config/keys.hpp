#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/schema.hpp"

namespace routerd {

/// One key of the configuration, for people: what it takes, its default and what it does.
struct KeyDescription {
    std::string name;           ///< "http.max_body"; keys of a model: "model.\"ID\".context"
    std::string type;           ///< "size", "duration", "list of strings", …
    std::string default_value;  ///< as TOML; empty when absent by default
    std::string meaning;        ///< one sentence
};

/// Every key there is, in the order of the manual.
std::vector<KeyDescription> describe_keys();

/// The keys whose effective values differ, by name: "limits.idle_unload", "model.\"x\".context".
std::vector<std::string> difference(const Config& before, const Config& after);

/// True for a key that is read at start only.
bool needs_restart(std::string_view key);

}  // namespace routerd
