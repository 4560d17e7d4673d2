#include "daemon/estimate/model_shape.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

constexpr std::uint64_t most_layers = 1024;

/// Architectures in which some layers slide without the file saying which: of each `period` layers
/// the last sees everything, or the first.
struct Sliding {
    std::string_view architecture;
    std::uint64_t period;
    bool dense_first = false;
};
// llama.cpp's models: set_swa_pattern() in their load_hparams. Others that name a window and are
// not here (Mistral, Qwen2) get whole caches there.
constexpr std::array<Sliding, 13> sliding{{{"gemma2", 2},
                                           {"gemma3", 6},
                                           {"gemma3n", 5},
                                           {"gemma-embedding", 6},
                                           {"gpt-oss", 2},
                                           {"cohere2", 4},
                                           {"llama4", 4},
                                           {"exaone4", 4},
                                           {"exaone-moe", 4},
                                           {"olmo2", 4},
                                           {"smallthinker", 4, true},
                                           {"modern-bert", 3, true},
                                           {"plamo3", 8}}};
constexpr std::array<std::string_view, 8> recurrent_only{"mamba", "mamba2", "rwkv6",  "rwkv6qwen2",
                                                         "rwkv7", "arwkv7", "retnet", "xlstm"};
constexpr std::string_view both_in_each_layer = "falcon-h1";
constexpr std::uint64_t llama4_chunk = 8192;  // tokens; the file does not say it

std::uint64_t at(const std::vector<std::uint64_t>& list, std::size_t layer) {
    if (list.size() <= 1) {
        return list.empty() ? 0 : list.front();
    }
    return layer < list.size() ? list[layer] : 0;
}

bool slides(const gguf::Metadata& model, std::size_t layer) {
    const auto& pattern = model.sliding_window_pattern;
    if (pattern.size() > 1) {
        return at(pattern, layer) != 0;
    }
    const auto* known =
        std::ranges::find(sliding, std::string_view(model.architecture), &Sliding::architecture);
    if (known == sliding.end()) {
        return false;
    }
    const auto period = pattern.size() == 1 ? pattern.front() : known->period;
    if (period == 0) {
        return true;
    }
    return known->dense_first ? layer % period != 0 : layer % period < period - 1;
}

/// Elements that a recurrent layer keeps for a sequence (llama-hparams.cpp, n_embd_r + n_embd_s).
std::uint64_t state_of(const gguf::Metadata& model) {
    if (model.wkv_head_size != 0) {
        const auto shifts = std::max<std::uint64_t>(model.token_shift_count, 1);
        return sat_mul(model.embedding_length, sat_add(shifts, model.wkv_head_size));
    }
    if (model.shortconv_l_cache != 0) {
        return sat_mul(model.embedding_length, model.shortconv_l_cache - 1);
    }
    const auto convolved =
        sat_add(model.ssm_inner_size, sat_mul(2, model.ssm_group_count, model.ssm_state_size));
    return sat_add(sat_mul(sat_sub(model.ssm_conv_kernel, 1), convolved),
                   sat_mul(model.ssm_state_size, model.ssm_inner_size));
}

bool is_recurrent(const gguf::Metadata& model, std::size_t layer) {
    if (std::ranges::find(recurrent_only, std::string_view(model.architecture)) !=
            recurrent_only.end() ||
        model.architecture == both_in_each_layer) {
        return true;
    }
    if (model.full_attention_interval != 0) {
        return (layer + 1) % model.full_attention_interval != 0;
    }
    return model.head_count_kv.size() > 1 && at(model.head_count_kv, layer) == 0;
}

std::uint64_t feed_forward_of(const gguf::Metadata& model, std::size_t layer) {
    const auto dense = at(model.feed_forward_length, layer);
    const bool has_experts = layer < model.layer_expert_bytes.size()
                                 ? model.layer_expert_bytes[layer] != 0
                                 : model.expert_count != 0 && model.layer_expert_bytes.empty();
    if (!has_experts) {
        return dense;
    }
    const auto each =
        model.expert_feed_forward_length != 0 ? model.expert_feed_forward_length : dense;
    return sat_mul(each, std::max<std::uint64_t>(model.expert_used_count, 1));
}

LayerShape layer_of(const gguf::Metadata& model, std::size_t layer, std::uint64_t layers) {
    LayerShape shape;
    shape.feed_forward = feed_forward_of(model, layer);
    const bool recurrent = is_recurrent(model, layer);
    shape.state = recurrent ? state_of(model) : 0;
    if (recurrent && model.architecture != both_in_each_layer) {
        return shape;
    }
    shape.heads = at(model.head_count, layer);
    shape.slides = slides(model, layer);
    const auto usual = shape.heads == 0 ? 0 : model.embedding_length / shape.heads;
    shape.key_length = model.key_length != 0 ? model.key_length : usual;
    shape.value_length = model.value_length != 0 ? model.value_length : usual;
    if (shape.slides && model.key_length_swa != 0) {
        shape.key_length = model.key_length_swa;
        shape.value_length = model.value_length_swa;
    }
    shape.value_length = model.key_length_mla != 0 ? 0 : shape.value_length;
    const bool has_own_cache = layer < sat_sub(layers, model.shared_kv_layers);
    const auto kv_heads =
        model.head_count_kv.empty() ? shape.heads : at(model.head_count_kv, layer);
    shape.kv_heads = has_own_cache ? kv_heads : 0;
    return shape;
}

}  // namespace

bool ModelShape::has_attention() const noexcept {
    return std::ranges::any_of(layers, [](const LayerShape& layer) { return layer.kv_heads != 0; });
}

bool ModelShape::has_state() const noexcept {
    return std::ranges::any_of(layers, [](const LayerShape& layer) { return layer.state != 0; });
}

ModelShape shape_of(const gguf::Metadata& model) {
    ModelShape shape;
    shape.width = model.embedding_length;
    shape.vocabulary = model.vocab_size;
    shape.experts_used = model.expert_used_count;
    const auto layers = std::min(model.block_count, most_layers);
    bool any_slides = false;
    for (std::size_t i = 0; i < layers; ++i) {
        shape.layers.push_back(layer_of(model, i, layers));
        any_slides = any_slides || shape.layers.back().slides;
    }
    const auto chunk = model.architecture == "llama4" ? llama4_chunk : 0;
    shape.window = any_slides ? std::max(model.sliding_window, chunk) : 0;
    if (shape.window == 0) {
        std::ranges::for_each(shape.layers, [](LayerShape& layer) { layer.slides = false; });
    }
    if (shape.has_state()) {
        shape.inner = model.ssm_inner_size != 0 ? model.ssm_inner_size : model.embedding_length;
    }
    return shape;
}

}  // namespace routerd
