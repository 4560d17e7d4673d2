#include "daemon/pull/sources/ollama_manifest.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"
#include "daemon/pull/sources/answer.hpp"

namespace routerd::pull {
namespace {

constexpr std::string_view ollama_media = "application/vnd.ollama.image.";
constexpr std::string_view sha256_prefix = "sha256:";
constexpr std::size_t most_layers = 1000;
constexpr std::size_t longest_parameter = 64;  // bytes of a name in a note
constexpr std::size_t most_stops = 64;
constexpr std::size_t most_left_told = 20;  // parameters in a note

/// What a parameter is called on the command line of llama-server, where it is what requests get
/// that do not say otherwise: what Ollama makes of it, too.
struct Sampling {
    std::string_view name;
    std::string_view option;
};
constexpr std::array sampling{Sampling{"temperature", "--temp"},
                              Sampling{"top_k", "--top-k"},
                              Sampling{"top_p", "--top-p"},
                              Sampling{"min_p", "--min-p"},
                              Sampling{"typical_p", "--typical"},
                              Sampling{"repeat_penalty", "--repeat-penalty"},
                              Sampling{"repeat_last_n", "--repeat-last-n"},
                              Sampling{"presence_penalty", "--presence-penalty"},
                              Sampling{"frequency_penalty", "--frequency-penalty"},
                              Sampling{"seed", "--seed"},
                              Sampling{"mirostat", "--mirostat"},
                              Sampling{"mirostat_eta", "--mirostat-lr"},
                              Sampling{"mirostat_tau", "--mirostat-ent"}};

/// Empty: it is no parameter of sampling.
std::string_view option_of(std::string_view name) {
    const auto* const found = std::ranges::find(sampling, name, &Sampling::name);
    return found == sampling.end() ? std::string_view() : found->option;
}

bool is_stop_list(const nlohmann::json& value) {
    return value.is_array() && !value.empty() && value.size() <= most_stops &&
           std::all_of(value.begin(), value.end(),
                       [](const nlohmann::json& stop) { return stop.is_string(); });
}

/// The key of the override that stands for a parameter by itself; empty: there is none.
std::string key_of(const std::string& name, const nlohmann::json& value) {
    if (name == "num_ctx" && value.is_number_unsigned()) {
        return "context";
    }
    return name == "stop" && is_stop_list(value) ? "set.stop" : "";
}

/// Whether the override is one that `routerctl set` would take.
bool is_setting(const std::string& key, const std::string& text) {
    ModelConfig config;
    return !key.empty() && set_model_key(config, key, text).has_value();
}

}  // namespace

Result<std::vector<OllamaLayer>> layers_of(const nlohmann::json& manifest) {
    const auto found = manifest.is_object() ? manifest.find("layers") : manifest.end();
    if (found == manifest.end() || !found->is_array() || found->size() > most_layers) {
        return Error(Errc::upstream_error, "its manifest has no list of layers");
    }
    std::vector<OllamaLayer> layers;
    for (const auto& entry : *found) {
        const auto media = text_member(entry, "mediaType");
        const auto digest = text_member(entry, "digest");
        if (!media.starts_with(ollama_media)) {
            continue;
        }
        const auto digits = digest.substr(std::min(sha256_prefix.size(), digest.size()));
        if (!digest.starts_with(sha256_prefix) || !is_sha256(digits)) {
            return Error(Errc::upstream_error,
                         "its manifest has a digest that is not 'sha256:' and 64 digits");
        }
        layers.push_back({media.substr(ollama_media.size()), digits, count_member(entry, "size")});
    }
    return layers;
}

const OllamaLayer* first_of(const std::vector<OllamaLayer>& layers, std::string_view kind) {
    const auto found = std::ranges::find(layers, kind, &OllamaLayer::kind);
    return found == layers.end() ? nullptr : &*found;
}

OllamaSettings settings_of(const nlohmann::json& parameters) {
    OllamaSettings settings;
    auto arguments = nlohmann::json::array();
    std::vector<std::string> left;
    if (!parameters.is_object()) {
        settings.notes.emplace_back("its parameters cannot be read and are left out");
        return settings;
    }
    for (const auto& [name, value] : parameters.items()) {
        const auto key = key_of(name, value);
        const auto option = option_of(name);
        const bool is_argument = !option.empty() && value.is_number();
        // No other values are looked into: dump() takes more stack the deeper one is nested.
        const auto text = is_argument || !key.empty()
                              ? value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                              : std::string();
        if (is_argument) {
            arguments.push_back(option);
            arguments.push_back(text);
        } else if (is_setting(key, text)) {
            settings.overrides.emplace_back(key, text);
            if (name == "stop") {
                settings.notes.emplace_back(
                    "every request to it gets the stop words that its author set for Ollama; "
                    "`routerctl unset NAME set.stop` leaves them to clients");
            }
        } else {
            left.push_back(escaped(name.substr(0, longest_parameter)));
        }
    }
    if (!arguments.empty()) {
        settings.overrides.emplace_back("args", arguments.dump());
    }
    if (left.size() > most_left_told) {
        left.resize(most_left_told);
        left.emplace_back("…");
    }
    if (!left.empty()) {
        settings.notes.push_back("parameters for Ollama that are left out: " + join(left, ", "));
    }
    return settings;
}

}  // namespace routerd::pull
