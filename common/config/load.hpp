#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/paths.hpp"
#include "common/config/schema.hpp"

namespace routerd {

/// What the command line and the environment of routerd say about its configuration.
struct LoadOptions {
    bool user = false;                ///< --user: XDG directories
    std::optional<std::string> file;  ///< --config: this file alone
    Environment environment;
    std::vector<std::pair<std::string, std::string>> overrides;  ///< "http.listen" → text, last
};

/// One thing wrong with the configuration.
struct ConfigProblem {
    std::string where;    ///< "/etc/routerd/routerd.toml:12:3", "environment ROUTERD_LOG_LEVEL"
    std::string message;  ///< "unknown key 'http.lisen'"
    std::string hint;     ///< "did you mean 'http.listen'?", or empty
};

/// "/etc/routerd/routerd.toml:12:3: unknown key 'http.lisen' (did you mean 'http.listen'?)"
std::string to_text(const ConfigProblem& problem);

/// One effective value, as TOML would have it, and where it came from.
struct ConfigValue {
    std::string key;     ///< "http.listen", "model.\"qwen3-8b\".context"
    std::string value;   ///< "[\"127.0.0.1:8080\"]"; secrets are "(hidden)"
    std::string origin;  ///< "default", "/etc/routerd/routerd.toml:12", "environment API_KEY", …
};

struct LoadedConfig {
    Config config;
    DefaultPaths paths;
    std::vector<ConfigValue> values;      ///< every key, in the order of the table
    std::vector<std::string> files;       ///< read, in order
    std::vector<std::string> notes;       ///< what was ignored, and why
    std::vector<ConfigProblem> problems;  ///< not empty: `config` must not be used

    bool usable() const noexcept { return problems.empty(); }
};

/// Defaults, then the TOML files, then the environment, then the command line. All problems are
/// reported, not the first alone. Blocks (reads files).
LoadedConfig load_config(const LoadOptions& options);

/// A text of TOML alone, over `base`; `name` stands for the file in problems. For tests, the fuzzer
/// and `config check -`.
LoadedConfig load_config_text(const std::string& text, const std::string& name);

}  // namespace routerd
