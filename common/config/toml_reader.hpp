#pragma once

#include <optional>
#include <string>

#include "common/config/load.hpp"
#include "common/config/raw_value.hpp"

namespace routerd {

struct TomlText {
    RawValue root;                         ///< a table; empty when there is a problem
    std::optional<ConfigProblem> problem;  ///< the syntax error; TOML has no second one
};

/// `name` is the file, in problems and origins.
TomlText read_toml(const std::string& text, const std::string& name);

}  // namespace routerd
