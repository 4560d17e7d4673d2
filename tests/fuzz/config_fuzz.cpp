// Loads arbitrary text as a configuration file. Beside crashes and sanitizers' findings, a run
// fails when a problem does not say what and where it is, and when a configuration that was taken
// is not the same again after it was printed and read back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/config/keys.hpp"
#include "common/config/load.hpp"
#include "common/config/model_keys.hpp"
#include "common/config/table.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using routerd::fuzz::require;

/// What `routerd --check` shows of everything outside [model], as a file.
std::string printed(const routerd::LoadedConfig& loaded) {
    std::string text;
    for (const auto& value : loaded.values) {
        const bool of_model = value.key.starts_with("model.");
        const bool from_command_line = value.key == "http.insecure_no_auth";
        if (!of_model && !from_command_line && value.value != "(hidden)") {
            text += value.key + " = " + value.value + "\n";
        }
    }
    return text;
}

/// As a file has it: some keys are for files alone, and `routerctl set` must refuse those.
bool takes(routerd::ModelConfig& config, const std::string& key, const std::string& text) {
    std::string entry;
    const auto row = routerd::find_model_key(key, entry);
    const bool is_set = routerd::set_model_key(config, key, text).has_value();
    if (row && (*row)->only_in_files) {
        return !is_set && (*row)->read(config, routerd::raw_text(text)).has_value();
    }
    return is_set;
}

void check_models(const routerd::Config& config) {
    for (const auto& [id, model] : config.model) {
        const auto texts = routerd::model_config_to_texts(model);
        routerd::ModelConfig again;
        for (const auto& [key, text] : texts) {
            require(takes(again, key, text), "a key takes its text");
        }
        require(routerd::model_config_to_texts(again) == texts, "a model's keys come back");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(routerd::fuzz::text_of(data, size));
    auto loaded = routerd::load_config_text(text, "fuzz.toml");
    for (const auto& problem : loaded.problems) {
        require(!problem.where.empty() && !problem.message.empty(),
                "a problem says what and where");
    }
    if (!loaded.usable()) {
        require(!loaded.problems.empty(), "what is refused has a problem");
        return 0;
    }
    check_models(loaded.config);
    loaded.config.auth.api_key = loaded.config.auth.api_key.empty() ? "" : "key";
    std::string copy = printed(loaded);
    if (!loaded.config.auth.api_key.empty()) {
        copy += "auth.api_key = \"key\"\n";
    }
    auto again = routerd::load_config_text(copy, "copy.toml");
    require(again.usable(), "what is printed can be read");
    again.config.model = loaded.config.model;
    require(routerd::difference(loaded.config, again.config).empty(),
            "what is printed is the same");
    return 0;
}
