#include "common/config/environment.hpp"

#include <array>
#include <set>

#include "common/base/text.hpp"
#include "common/config/table.hpp"

namespace routerd {
namespace {

struct Foreign {
    std::string_view variable;
    std::string_view key;      ///< empty: no feature for it in this build
    std::string_view ignored;  ///< why it is, when there is no key
};

// Where two mean the same key, the later one wins.
constexpr std::array foreign_names{
    Foreign{"LLAMA_SERVER_PATH", "llama_server.path", ""},
    Foreign{"DEFAULT_MODEL", "models.default", ""},
    Foreign{"PROXY_API_KEY", "auth.api_key", ""},
    Foreign{"API_KEY", "auth.api_key", ""},
    Foreign{"CORS_ORIGINS", "http.cors_origins", ""},
    Foreign{"RATE_LIMIT_PER_MINUTE", "rate_limit.requests_per_minute", ""},
    Foreign{"MAX_STARTUP_TIME", "limits.start_timeout", ""},
    Foreign{"HF_ENDPOINT", "pull.endpoint", ""},
    Foreign{"HF_TOKEN", "pull.token", ""},
    Foreign{"LLAMA_SERVER_HOST", "",
            "model servers listen for routerd alone (see llama_server.listen)"},
    Foreign{"READINESS_CHECK_INTERVAL", "", "readiness is probed adaptively, without an interval"},
    Foreign{"REDIS_URL", "", "this build keeps its state in a local database"},
    Foreign{"UPSTREAM_BASE_URL", "",
            "name the server in the configuration instead: [model.\"NAME\"] url"},
};

constexpr std::array folder_names{std::string_view("BASE_MODELS_PATH"),
                                  std::string_view("MODEL_SCAN_PATH")};

std::string find(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found != environment.end() ? found->second : std::string();
}

/// A list as JSON, so that commas and blanks inside an item stay.
std::string list_text(const std::vector<std::string>& items) {
    std::string text = "[";
    for (const auto& item : items) {
        text += (text.size() > 1 ? "," : "") + json_quoted(item);
    }
    return text + "]";
}

void read_foreign(const Environment& environment, EnvironmentValues& found) {
    for (const auto& name : foreign_names) {
        const auto text = find(environment, name.variable);
        const std::string variable(name.variable);
        if (text.empty()) {
            continue;
        }
        if (name.key.empty()) {
            found.notes.push_back("environment " + variable +
                                  " is ignored: " + std::string(name.ignored));
        } else {
            found.values.push_back({variable, std::string(name.key), text});
        }
    }
    std::vector<std::string> folders;
    std::string variables;
    for (const auto name : folder_names) {
        const auto text = find(environment, name);
        if (!text.empty()) {
            folders.push_back(text);
            variables += (variables.empty() ? "" : " and ") + std::string(name);
        }
    }
    if (!folders.empty()) {
        found.values.push_back({variables, "models.dirs", list_text(folders)});
    }
    const auto file = find(environment, "CONFIG_PATH");
    if (file.ends_with(".toml")) {
        found.config_file = file;
    } else if (!file.empty()) {
        found.notes.emplace_back(
            "environment CONFIG_PATH is ignored: it does not name a .toml file");
    }
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (auto& c : result) {
        c = c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return result;
}

/// The key that a ROUTERD_… variable without one would have had: its section, a dot, the rest.
/// Empty when it is of no section and so somebody else's (ROUTERD_HOST is routerctl's).
std::string unknown_key(std::string_view variable) {
    std::set<std::string> sections;
    for (const auto& key : config_table()) {
        sections.insert(key.section());
    }
    for (const auto& section : sections) {
        const std::string prefix = variable_name(section) + "_";
        if (variable.starts_with(prefix)) {
            return section + "." + to_lower(variable.substr(prefix.size()));
        }
    }
    return {};
}

}  // namespace

std::string variable_name(const std::string& key) {
    return "ROUTERD_" + upper(key);
}

EnvironmentValues read_environment(const Environment& environment) {
    EnvironmentValues found;
    read_foreign(environment, found);
    std::set<std::string> known;
    for (const auto& key : config_table()) {
        const auto variable = variable_name(key.name);
        const auto value = environment.find(variable);
        if (value != environment.end() && key.from == ConfigKey::From::anywhere) {
            known.insert(variable);
            found.values.push_back({variable, key.name, value->second});
        }
    }
    for (const auto& [variable, text] : environment) {
        if (!variable.starts_with("ROUTERD_") || known.contains(variable)) {
            continue;
        }
        auto key = unknown_key(variable);
        if (!key.empty()) {
            found.values.push_back({variable, std::move(key), text, false});
        }
    }
    return found;
}

}  // namespace routerd
