#include "daemon/backends/llama_server/arguments.hpp"

#include <algorithm>
#include <array>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd::llama {
namespace {

using Words = std::vector<std::string>;

/// Options that say where and as what it serves; the router depends on its own choice.
constexpr std::array<std::string_view, 13> reserved{
    "-m",           "--model",      "-hf",    "--hf-repo", "-a",
    "--alias",      "--host",       "--port", "--api-key", "--api-key-file",
    "--api-prefix", "--models-dir", "--help"};

const Words& own_arguments(const Model& model) {
    static const Words none;
    return model.settings.args ? *model.settings.args : none;
}

void append(Words& to, const Words& words) {
    to.insert(to.end(), words.begin(), words.end());
}

Result<void> check_user_arguments(const Words& words, const std::string& setting) {
    for (const auto& word : words) {
        const auto name = std::string_view(word).substr(0, word.find('='));
        if (std::ranges::find(reserved, name) != reserved.end()) {
            return Error(Errc::load_failed,
                         setting + " may not hold '" + escaped(name) + "': the router decides it")
                .with_hint("remove it from the arguments");
        }
    }
    return {};
}

/// llama.cpp pools an input in one physical batch: it must hold the longest.
void add_pooled_batch(Words& words, const Model& model) {
    constexpr std::uint64_t default_batch = 512;
    constexpr std::uint64_t largest_batch = 8192;
    const auto context = model.settings.context.value_or(model.metadata.context_length);
    if (context > default_batch) {
        const auto batch = std::to_string(std::min<std::uint64_t>(context, largest_batch));
        append(words, {"-b", batch, "-ub", batch});
    }
}

void add_purpose(Words& words, const Model& model) {
    if (model.capabilities.rerank) {
        words.emplace_back("--reranking");
        add_pooled_batch(words, model);
    } else if (model.capabilities.embedding) {
        words.emplace_back("--embeddings");
        if (!model.metadata.pooling_type || *model.metadata.pooling_type == 0) {
            append(words, {"--pooling", "mean"});
        }
        add_pooled_batch(words, model);
    }
}

constexpr int more_than_any_model = 999;  // layers; "all" is not known to older builds

bool means_host(const std::string& device) {
    const auto lower = to_lower(device);
    return lower == "host" || lower == "cpu";
}

void add_device_settings(Words& words, const ModelConfig& settings) {
    if (settings.gpu_layers) {
        const auto layers = *settings.gpu_layers < 0 ? more_than_any_model : *settings.gpu_layers;
        append(words, {"-ngl", std::to_string(layers)});
    }
    if (settings.devices && !settings.devices->empty()) {
        const bool none = std::ranges::all_of(*settings.devices, means_host);
        append(words, {"-dev", none ? "none" : join(*settings.devices, ",")});
    }
}

/// Said in full: what is left out the server fits to what is free when it looks (--fit), and that
/// is another's by the time it allocates.
void add_plan(Words& words, const DevicePlan& plan) {
    const auto all = std::uint64_t{more_than_any_model};
    const auto layers = plan.gpus.empty() ? 0 : plan.gpu_layers.value_or(all);
    append(words, {"-ngl", std::to_string(layers)});
    if (plan.gpus.size() > 1) {
        Words shares;
        for (const auto& gpu : plan.gpus) {
            shares.push_back(std::to_string(gpu.share));
        }
        append(words, {"-ts", join(shares, ",")});
    }
}

void add_settings(Words& words, const Model& model, unsigned slots, const DevicePlan& plan) {
    const auto& settings = model.settings;
    if (settings.context) {
        // -c is the context of all slots together.
        append(words, {"-c", std::to_string(std::uint64_t{*settings.context} * slots)});
    }
    if (settings.cache_type_k) {
        append(words, {"-ctk", *settings.cache_type_k});
    }
    if (settings.cache_type_v) {
        append(words, {"-ctv", *settings.cache_type_v});
    }
    if (plan.decided) {
        add_plan(words, plan);
    } else {
        add_device_settings(words, settings);
    }
    if (!model.mmproj.empty()) {
        append(words, {"--mmproj", model.mmproj});
    }
    const auto& adapters = settings.lora ? *settings.lora : model.adapters;
    if (!adapters.empty()) {
        append(words, {"--lora", join(adapters, ",")});
    }
}

}  // namespace

Result<Words> arguments(const Model& model, const Config& config, const ListenAt& listen,
                        const DevicePlan& plan) {
    if (model.files.empty()) {
        return Error(Errc::load_failed, "model '" + model.id + "' has no file");
    }
    if (const auto checked = check_user_arguments(config.llama_server.args, "[llama_server] args");
        !checked) {
        return checked.error();
    }
    const auto& own = own_arguments(model);
    const auto own_setting = "[model.\"" + model.id + "\"] args";
    if (const auto checked = check_user_arguments(own, own_setting); !checked) {
        return checked.error();
    }

    const auto slots = model.settings.parallel.value_or(config.limits.parallel);
    Words words{"-m", model.files.front(), "--alias", model.id};
    if (listen.unix_path.empty()) {
        append(words, {"--host", "127.0.0.1", "--port", listen.port});
    } else {
        append(words, {"--host", listen.unix_path});
    }
    append(words, {"-np", std::to_string(std::max(1U, slots))});
    add_settings(words, model, std::max(1U, slots), plan);
    add_purpose(words, model);
    words.emplace_back("--no-webui");
    append(words, config.llama_server.args);
    append(words, own);
    return words;
}

std::size_t own_words(const Model& model, const Config& config) {
    return config.llama_server.args.size() + own_arguments(model).size();
}

namespace {

/// The GPUs of a kind, as an environment variable has them.
std::string seen_of(DeviceKind kind, const DevicePlan& plan) {
    Words names;
    for (const auto& gpu : plan.gpus) {
        if (gpu.kind == kind) {
            names.push_back(gpu.visible_as);
        }
    }
    return join(names, ",");
}

}  // namespace

void add_visibility(std::map<std::string, std::string>& environment, const DevicePlan& plan) {
    // CUDA Programming Guide, "CUDA Environment Variables": an empty list shows no device. ROCm,
    // "GPU isolation techniques": the same of ROCr, below HIP.
    if (plan.kinds.contains(DeviceKind::nvidia)) {
        environment.emplace("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
    }
    if (plan.decided && plan.kinds.contains(DeviceKind::nvidia)) {
        environment.emplace("CUDA_VISIBLE_DEVICES", seen_of(DeviceKind::nvidia, plan));
    }
    if (plan.decided && plan.kinds.contains(DeviceKind::amd)) {
        environment.emplace("ROCR_VISIBLE_DEVICES", seen_of(DeviceKind::amd, plan));
    }
}

std::optional<unsigned> user_number(const Model& model, const Config& config,
                                    std::string_view short_name, std::string_view long_name) {
    Words words = config.llama_server.args;
    append(words, own_arguments(model));
    std::optional<unsigned> found;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] != short_name && words[i] != long_name) {
            continue;
        }
        if (const auto number = number_in<unsigned>(words[i + 1])) {
            found = number;
        }
    }
    return found;
}

}  // namespace routerd::llama
