#include "daemon/backends/llama_server/launch.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd::llama {
namespace {

using Words = std::vector<std::string>;
using Names = std::initializer_list<std::string_view>;

constexpr std::array<const char*, 5> visibility_variables{
    "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL",
    "GGML_VK_VISIBLE_DEVICES"};
constexpr std::array<std::string_view, 5> argument_variables{
    "LLAMA_ARG_DEVICE", "LLAMA_ARG_N_GPU_LAYERS", "LLAMA_ARG_TENSOR_SPLIT", "LLAMA_ARG_SPLIT_MODE",
    "LLAMA_ARG_MAIN_GPU"};

/// The arguments, asked by option; the last one of several names counts.
class Options {
  public:
    explicit Options(const Words& words) : words_(words) {}

    bool has(Names names) const { return position(names).has_value(); }

    /// The word after the option; empty when the option is not there.
    std::string_view text(Names names) const {
        const auto at = position(names);
        return at && *at + 1 < words_.size() ? std::string_view(words_[*at + 1])
                                             : std::string_view();
    }

    std::optional<std::int64_t> number(Names names) const {
        return number_in<std::int64_t>(text(names));
    }

    /// Whether the last of two opposite options is `on`; `usual` when there is neither.
    bool flag(Names on, Names off, bool usual) const {
        const auto is_on = position(on);
        const auto is_off = position(off);
        if (!is_on && !is_off) {
            return usual;
        }
        return is_on && (!is_off || *is_on > *is_off);
    }

  private:
    std::optional<std::size_t> position(Names names) const {
        for (std::size_t i = words_.size(); i > 0; --i) {
            if (std::ranges::find(names, words_[i - 1]) != names.end()) {
                return i - 1;
            }
        }
        return std::nullopt;
    }

    const Words& words_;
};

void set_positive(std::uint64_t& field, std::optional<std::int64_t> value) {
    if (value && *value > 0) {
        field = static_cast<std::uint64_t>(*value);
    }
}

void read_slots(LaunchParameters& launch, const Options& options) {
    constexpr std::uint64_t automatic_slots = 4;  // tools/server: -np -1
    const auto slots = options.number({"-np", "--parallel"});
    const bool is_automatic = !slots || *slots < 0;
    launch.slots = automatic_slots;
    set_positive(launch.slots, slots);
    launch.unified =
        options.flag({"-kvu", "--kv-unified"}, {"-no-kvu", "--no-kv-unified"}, is_automatic);
    set_positive(launch.context, options.number({"-c", "--ctx-size"}));
    const auto per_slot = options.number({"--kv-unified-per-slot"});
    if (launch.context == 0 && per_slot && *per_slot > 0 && *per_slot < (1LL << 32)) {
        launch.context = static_cast<std::uint64_t>(*per_slot) * launch.slots;
        launch.unified = true;
    }
}

void read_cache(LaunchParameters& launch, const Options& options) {
    launch.key_type =
        cache_type(options.text({"-ctk", "--cache-type-k"})).value_or(launch.key_type);
    launch.value_type =
        cache_type(options.text({"-ctv", "--cache-type-v"})).value_or(launch.value_type);
    launch.sliding_full = options.has({"--swa-full"});
    launch.cache_with_layers =
        options.flag({"-kvo", "--kv-offload"}, {"-nkvo", "--no-kv-offload"}, true);
    const auto checkpoints = options.number({"-ctxcp", "--ctx-checkpoints", "--swa-checkpoints"});
    if (checkpoints && *checkpoints >= 0) {
        launch.checkpoints = static_cast<std::uint64_t>(*checkpoints);
    }
    const auto cache_mib = options.number({"-cram", "--cache-ram"});
    constexpr std::int64_t most_mib = 1LL << 40;
    if (cache_mib && *cache_mib < 0) {
        launch.prompt_cache = ~0ULL;  // no limit
    } else if (cache_mib && *cache_mib < most_mib) {
        launch.prompt_cache = static_cast<std::uint64_t>(*cache_mib) << 20U;
    }
}

void read_weights(LaunchParameters& launch, const Options& options) {
    const Names layers{"-ngl", "--gpu-layers", "--n-gpu-layers"};
    if (const auto count = options.number(layers); count && *count >= 0) {
        launch.gpu_layers = static_cast<std::uint64_t>(*count);
    }
    const auto experts = options.number({"-ncmoe", "--n-cpu-moe"});
    set_positive(launch.host_expert_layers, experts);
    if (options.has({"-cmoe", "--cpu-moe"})) {
        launch.host_expert_layers = ~0ULL;
    }
    const auto mode = options.text({"-lm", "--load-mode"});
    launch.mapped = mode != "none" && mode != "dio" && mode != "mlock" &&
                    !options.has({"--no-mmap"});  // of older builds
    launch.repack = options.flag({"--repack"}, {"-nr", "--no-repack"}, true);
}

void read_devices(LaunchParameters& launch, const Options& options) {
    const Names device{"-dev", "--device"};
    if (!options.has(device)) {
        return;
    }
    launch.devices.emplace();
    const auto text = to_lower(options.text(device));
    for (const auto name : split(text, ',')) {
        if (name != "none" && !name.empty()) {
            launch.devices->emplace_back(name);
        }
    }
}

/// Who decides about GPUs, by the arguments that the user wrote.
Placed placed_by(const Options& own) {
    const auto mode = own.text({"-sm", "--split-mode"});
    if (own.has({"-ot", "--override-tensor", "-ts", "--tensor-split", "-mg", "--main-gpu",
                 "--moe-cache-mib"}) ||
        (!mode.empty() && mode != "layer")) {
        return Placed::unreadable;
    }
    const bool is_said =
        own.has({"-ngl", "--gpu-layers", "--n-gpu-layers", "-dev", "--device"}) || !mode.empty();
    return is_said ? Placed::by_arguments : Placed::by_router;
}

}  // namespace

bool places_models(std::string_view variable) {
    return std::ranges::find(visibility_variables, variable) != visibility_variables.end() ||
           std::ranges::find(argument_variables, variable) != argument_variables.end();
}

bool daemon_places_models() {
    return std::ranges::any_of(visibility_variables, [](const char* name) {
        const char* value =
            std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody calls setenv
        return value != nullptr && *value != '\0';
    });
}

LaunchParameters launch_parameters(const Words& arguments, std::size_t own_words) {
    const Options options(arguments);
    LaunchParameters launch;
    read_slots(launch, options);
    read_cache(launch, options);
    read_weights(launch, options);
    read_devices(launch, options);
    const auto own = std::min(own_words, arguments.size());
    const Words own_arguments(arguments.end() - static_cast<std::ptrdiff_t>(own), arguments.end());
    launch.placed = placed_by(Options(own_arguments));
    set_positive(launch.batch, options.number({"-b", "--batch-size"}));
    set_positive(launch.ubatch, options.number({"-ub", "--ubatch-size"}));
    launch.ubatch = std::min(launch.ubatch, launch.batch);
    launch.flash_attention = options.text({"-fa", "--flash-attn"}) != "off";
    launch.all_outputs = options.has({"--embedding", "--embeddings", "--rerank", "--reranking"});
    return launch;
}

}  // namespace routerd::llama
