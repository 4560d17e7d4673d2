#include "daemon/gguf/fields.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/gguf/chat_template.hpp"

namespace routerd::gguf {
namespace {

constexpr std::size_t longest_key = 65535;
constexpr std::size_t longest_architecture = 128;
constexpr std::uint32_t largest_alignment = 1U << 20U;
constexpr std::uint64_t most_layers = 1024;  // of a list that is kept
constexpr std::uint64_t pair_overhead = 64;  // bytes that the set of keys needs beside the key

using Number = std::uint64_t Metadata::*;
using Text = std::string Metadata::*;
using List = std::vector<std::uint64_t> Metadata::*;
using Flag = bool Metadata::*;

struct NumberField {
    std::string_view key;
    Number member;
};
struct TextField {
    std::string_view key;
    Text member;
};
struct ListField {
    std::string_view key;
    List member;
};
struct FlagField {
    std::string_view key;
    Flag member;
};

constexpr std::array<TextField, 8> general_texts{{
    {"general.type", &Metadata::type},
    {"general.name", &Metadata::name},
    {"general.size_label", &Metadata::size_label},
    {"general.finetune", &Metadata::finetune},
    {"general.basename", &Metadata::basename},
    {"general.version", &Metadata::model_version},
    {"tokenizer.ggml.model", &Metadata::tokenizer},
    {"tokenizer.ggml.pre", &Metadata::tokenizer_pre},
}};

// Keys that begin with the architecture's name, which is left out here.
constexpr std::array<NumberField, 27> own_numbers{{
    {"context_length", &Metadata::context_length},
    {"embedding_length", &Metadata::embedding_length},
    {"block_count", &Metadata::block_count},
    {"vocab_size", &Metadata::vocab_size},
    {"attention.key_length", &Metadata::key_length},
    {"attention.value_length", &Metadata::value_length},
    {"expert_count", &Metadata::expert_count},
    {"expert_used_count", &Metadata::expert_used_count},
    {"expert_feed_forward_length", &Metadata::expert_feed_forward_length},
    {"attention.key_length_mla", &Metadata::key_length_mla},
    {"attention.key_length_swa", &Metadata::key_length_swa},
    {"attention.value_length_swa", &Metadata::value_length_swa},
    {"attention.shared_kv_layers", &Metadata::shared_kv_layers},
    {"full_attention_interval", &Metadata::full_attention_interval},
    {"ssm.conv_kernel", &Metadata::ssm_conv_kernel},
    {"ssm.inner_size", &Metadata::ssm_inner_size},
    {"ssm.state_size", &Metadata::ssm_state_size},
    {"ssm.group_count", &Metadata::ssm_group_count},
    {"shortconv.l_cache", &Metadata::shortconv_l_cache},
    {"wkv.head_size", &Metadata::wkv_head_size},
    {"token_shift_count", &Metadata::token_shift_count},
    {"vision.projection_dim", &Metadata::projection_dim},
    {"vision.image_size", &Metadata::vision_image_size},
    {"vision.patch_size", &Metadata::vision_patch_size},
    {"vision.embedding_length", &Metadata::vision_embedding_length},
    {"vision.feed_forward_length", &Metadata::vision_feed_forward_length},
    {"vision.attention.head_count", &Metadata::vision_head_count},
}};
constexpr std::array<ListField, 4> own_lists{{
    {"attention.head_count", &Metadata::head_count},
    {"feed_forward_length", &Metadata::feed_forward_length},
    {"attention.head_count_kv", &Metadata::head_count_kv},
    {"attention.sliding_window_pattern", &Metadata::sliding_window_pattern},
}};
constexpr std::array<FlagField, 2> own_flags{{
    {"has_vision_encoder", &Metadata::has_vision_encoder},
    {"has_audio_encoder", &Metadata::has_audio_encoder},
}};
constexpr std::array<std::string_view, 5> own_others{
    "attention.sliding_window", "pooling_type", "projector_type", "vision.projector_type", "type",
};

template <class Table>
auto find(const Table& table, std::string_view key) {
    return std::find_if(table.begin(), table.end(),
                        [key](const auto& field) { return field.key == key; });
}

/// The table's own copy of `suffix`, or empty when no architecture's key of that name is wanted.
std::string_view wanted_suffix(std::string_view suffix) {
    if (const auto* number = find(own_numbers, suffix); number != own_numbers.end()) {
        return number->key;
    }
    if (const auto* list = find(own_lists, suffix); list != own_lists.end()) {
        return list->key;
    }
    if (const auto* flag = find(own_flags, suffix); flag != own_flags.end()) {
        return flag->key;
    }
    const auto* other = std::find(own_others.begin(), own_others.end(), suffix);
    return other == own_others.end() ? std::string_view() : *other;
}

void assign(Metadata& metadata, std::string_view suffix, Value&& value) {
    if (const auto* number = find(own_numbers, suffix); number != own_numbers.end()) {
        metadata.*(number->member) = value.number.value_or(metadata.*(number->member));
    } else if (const auto* list = find(own_lists, suffix); list != own_lists.end()) {
        metadata.*(list->member) = value.number ? std::vector{*value.number} : value.list;
    } else if (const auto* flag = find(own_flags, suffix); flag != own_flags.end()) {
        metadata.*(flag->member) = value.number.value_or(0) == 1;
    } else if (suffix == "attention.sliding_window") {
        // A list says it per layer, 0 where the layer sees everything.
        const auto widest = std::max_element(value.list.begin(), value.list.end());
        metadata.sliding_window = value.number.value_or(widest == value.list.end() ? 0 : *widest);
    } else if (suffix == "pooling_type" && value.number &&
               *value.number <= std::numeric_limits<std::uint32_t>::max()) {
        metadata.pooling_type = static_cast<std::uint32_t>(*value.number);
    } else if (suffix.ends_with("projector_type") && value.text) {
        metadata.projector_type = valid_utf8(*value.text);
    }
}

std::uint16_t small(const Value& value) {
    const auto number = value.number.value_or(0);
    return number <= std::numeric_limits<std::uint16_t>::max() ? static_cast<std::uint16_t>(number)
                                                               : std::uint16_t{0};
}

void take_template(Value&& value, Metadata& metadata) {
    metadata.chat_template_bytes = value.type == ValueType::string ? value.length : 0;
    if (value.text) {
        metadata.chat_template = valid_utf8(*value.text);
        const auto traits = template_traits(metadata.chat_template);
        metadata.thinking = traits.thinking;
        metadata.tools = metadata.tools || traits.tools;
    }
}

}  // namespace

void Fields::read_pair(Input& input) {
    const auto length = input.number<std::uint64_t>();
    if (input.ok() && (length == 0 || length > longest_key)) {
        input.fail(Errc::invalid_request, "a key of " + std::to_string(length) + " bytes");
    }
    auto key = input.text(length);
    input.charge(pair_overhead);
    if (!input.ok()) {
        return;
    }
    const auto [known, is_new] = keys_.insert(key);
    if (!is_new) {
        input.fail(Errc::invalid_request,
                   "the key '" + escaped(key.substr(0, 64)) + "' is there twice");
        return;
    }
    take(input, std::move(key));
}

void Fields::take(Input& input, std::string key) {
    if (key == "general.alignment") {
        return take_alignment(input);
    }
    if (key == "general.architecture") {
        return take_architecture(input);
    }
    if (const auto* field = find(general_texts, key); field != general_texts.end()) {
        auto value = read_value(input, {limits_.kept_string, 0});
        metadata_.*(field->member) = valid_utf8(value.text.value_or(""));
    } else if (key == "general.file_type") {
        const auto value = read_value(input, {});
        if (value.number && *value.number <= std::numeric_limits<std::uint32_t>::max()) {
            metadata_.file_type = static_cast<std::uint32_t>(*value.number);
        }
    } else if (key == "tokenizer.chat_template") {
        take_template(read_value(input, {limits_.chat_template, 0}), metadata_);
    } else if (key == "tokenizer.chat_template.tool_use") {
        metadata_.tools = true;
        read_value(input, {});
    } else if (key == "tokenizer.ggml.tokens") {
        const auto value = read_value(input, {});
        metadata_.vocab_size = metadata_.vocab_size == 0 ? value.length : metadata_.vocab_size;
    } else if (key == "split.no") {
        metadata_.split_no = small(read_value(input, {}));
    } else if (key == "split.count") {
        metadata_.split_count = small(read_value(input, {}));
    } else {
        const auto dot = key.find('.');
        const auto suffix = dot == std::string::npos
                                ? std::string_view()
                                : wanted_suffix(std::string_view(key).substr(dot + 1));
        if (suffix.empty()) {
            read_value(input, {});
            return;
        }
        input.charge(sizeof(Pending) + dot);
        auto value = read_value(input, {limits_.kept_string, most_layers});
        pending_.push_back({key.substr(0, dot), suffix, std::move(value)});
    }
}

void Fields::take_alignment(Input& input) {
    const auto value = read_value(input, {});
    const auto number = value.number.value_or(0);
    if (value.type != ValueType::u32 || number == 0 || (number & (number - 1)) != 0 ||
        number > largest_alignment) {
        input.fail(Errc::invalid_request,
                   "general.alignment is not a 32-bit power of two up to 1048576");
        return;
    }
    alignment_ = static_cast<std::uint32_t>(number);
}

void Fields::take_architecture(Input& input) {
    const auto value = read_value(input, {longest_architecture, 0});
    if (!input.ok()) {
        return;
    }
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    if (!value.text || value.text->empty() ||
        !std::all_of(value.text->begin(), value.text->end(), is_plain)) {
        input.fail(Errc::invalid_request,
                   "general.architecture is not a name of letters, digits, '-', '_' and '.'");
        return;
    }
    metadata_.architecture = *value.text;
}

void Fields::finish(Input& input, Metadata& metadata) {
    if (!input.ok()) {
        return;
    }
    if (metadata_.architecture.empty()) {
        input.fail(Errc::invalid_request, "it does not say its architecture");
        return;
    }
    for (auto& pending : pending_) {
        if (pending.prefix == metadata_.architecture) {
            assign(metadata_, pending.suffix, std::move(pending.value));
        } else if (pending.prefix == "adapter" && pending.suffix == "type" && pending.value.text) {
            metadata_.adapter_type = valid_utf8(*pending.value.text);
        }
    }
    if (metadata_.file_type) {
        metadata_.quantization = file_type_name(*metadata_.file_type);
    }
    metadata_.version = metadata.version;
    metadata = std::move(metadata_);
}

}  // namespace routerd::gguf
