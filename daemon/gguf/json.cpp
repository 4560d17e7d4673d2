#include "daemon/gguf/json.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

namespace routerd::gguf {
namespace {

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
