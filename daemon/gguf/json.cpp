#include "daemon/gguf/json.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

namespace routerd::gguf {
namespace {

/// What only the estimate of memory looks at.
template <class Fields, class Visit>
void each_shape_field(Fields& metadata, Visit visit) {
    visit("feed_forward_length", metadata.feed_forward_length);
    visit("expert_feed_forward_length", metadata.expert_feed_forward_length);
    visit("key_length_mla", metadata.key_length_mla);
    visit("key_length_swa", metadata.key_length_swa);
    visit("value_length_swa", metadata.value_length_swa);
    visit("shared_kv_layers", metadata.shared_kv_layers);
    visit("full_attention_interval", metadata.full_attention_interval);
    visit("ssm_conv_kernel", metadata.ssm_conv_kernel);
    visit("ssm_inner_size", metadata.ssm_inner_size);
    visit("ssm_state_size", metadata.ssm_state_size);
    visit("ssm_group_count", metadata.ssm_group_count);
    visit("shortconv_l_cache", metadata.shortconv_l_cache);
    visit("wkv_head_size", metadata.wkv_head_size);
    visit("token_shift_count", metadata.token_shift_count);
    visit("layer_bytes", metadata.layer_bytes);
    visit("layer_expert_bytes", metadata.layer_expert_bytes);
    visit("layer_repack_bytes", metadata.repacked.layers);
    visit("layer_tiled_bytes", metadata.tiled.layers);
    visit("embedding_bytes", metadata.embedding_bytes);
    visit("output_bytes", metadata.output_bytes);
    visit("output_repack_bytes", metadata.repacked.output);
    visit("repack_tail_bytes", metadata.repacked.tail);
    visit("output_tiled_bytes", metadata.tiled.output);
    visit("tiled_tail_bytes", metadata.tiled.tail);
    visit("tiled_extra_bytes", metadata.tiled.extra);
}

/// Calls `visit(name, field)` for every field, so that both directions share one list.
template <class Fields, class Visit>
void each_field(Fields& metadata, Visit visit) {
    visit("version", metadata.version);
    visit("architecture", metadata.architecture);
    visit("type", metadata.type);
    visit("name", metadata.name);
    visit("size_label", metadata.size_label);
    visit("finetune", metadata.finetune);
    visit("basename", metadata.basename);
    visit("model_version", metadata.model_version);
    visit("parameters", metadata.parameters);
    visit("quantization", metadata.quantization);
    visit("file_type", metadata.file_type);
    visit("tensor_count", metadata.tensor_count);
    visit("tensor_bytes", metadata.tensor_bytes);
    visit("context_length", metadata.context_length);
    visit("embedding_length", metadata.embedding_length);
    visit("block_count", metadata.block_count);
    visit("vocab_size", metadata.vocab_size);
    visit("head_count", metadata.head_count);
    visit("head_count_kv", metadata.head_count_kv);
    visit("key_length", metadata.key_length);
    visit("value_length", metadata.value_length);
    visit("sliding_window", metadata.sliding_window);
    visit("sliding_window_pattern", metadata.sliding_window_pattern);
    visit("expert_count", metadata.expert_count);
    visit("expert_used_count", metadata.expert_used_count);
    each_shape_field(metadata, visit);
    visit("tokenizer", metadata.tokenizer);
    visit("tokenizer_pre", metadata.tokenizer_pre);
    visit("chat_template", metadata.chat_template);
    visit("chat_template_bytes", metadata.chat_template_bytes);
    visit("thinking", metadata.thinking);
    visit("tools", metadata.tools);
    visit("pooling_type", metadata.pooling_type);
    visit("split_no", metadata.split_no);
    visit("split_count", metadata.split_count);
    visit("has_vision_encoder", metadata.has_vision_encoder);
    visit("has_audio_encoder", metadata.has_audio_encoder);
    visit("projection_dim", metadata.projection_dim);
    visit("vision_image_size", metadata.vision_image_size);
    visit("vision_patch_size", metadata.vision_patch_size);
    visit("vision_embedding_length", metadata.vision_embedding_length);
    visit("vision_feed_forward_length", metadata.vision_feed_forward_length);
    visit("vision_head_count", metadata.vision_head_count);
    visit("projector_type", metadata.projector_type);
    visit("adapter_type", metadata.adapter_type);
}

template <class T>
bool is_said(const T& field) {
    return field != T{};
}

struct Write {
    nlohmann::ordered_json& json;

    template <class T>
    void operator()(const char* name, const T& field) const {
        if (is_said(field)) {
            json[name] = field;
        }
    }
    void operator()(const char* name, const std::optional<std::uint32_t>& field) const {
        if (field) {
            json[name] = *field;
        }
    }
};

struct Read {
    const nlohmann::json& json;

    template <class T>
    void operator()(const char* name, T& field) const {
        if (const auto found = json.find(name); found != json.end()) {
            found->get_to(field);
        }
    }
    void operator()(const char* name, std::optional<std::uint32_t>& field) const {
        if (const auto found = json.find(name); found != json.end()) {
            field = found->get<std::uint32_t>();
        }
    }
};

}  // namespace

nlohmann::ordered_json to_json(const Metadata& metadata) {
    auto json = nlohmann::ordered_json::object();
    each_field(metadata, Write{json});
    return json;
}

Result<Metadata> from_json(std::string_view text) {
    Metadata metadata;
    try {
        const auto json = nlohmann::json::parse(text);
        if (!json.is_object()) {
            return Error(Errc::invalid_request, "read cached metadata: not an object");
        }
        each_field(metadata, Read{json});
    } catch (const nlohmann::json::exception& error) {
        return Error(Errc::invalid_request, std::string("read cached metadata: ") + error.what());
    }
    return metadata;
}

}  // namespace routerd::gguf
