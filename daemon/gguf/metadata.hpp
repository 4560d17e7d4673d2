#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace routerd::gguf {

/// What the router wants to know of a GGUF file, without its tensors' data. Everything that the
/// file did not say is empty or zero.
struct Metadata {
    std::uint32_t version = 0;
    std::string architecture;  ///< "llama"
    std::string type;          ///< general.type: "model", "adapter", "mmproj", …
    std::string name;          ///< general.name
    std::string size_label;    ///< general.size_label: "8B"
    std::string finetune;  ///< general.finetune, general.basename and general.version as written
    std::string basename;
    std::string model_version;
    std::uint64_t parameters = 0;  ///< sum of the tensors' elements, all parts of a split set
    std::string quantization;      ///< "Q4_K_M", from general.file_type, else from most tensors
    std::optional<std::uint32_t> file_type;  ///< general.file_type as written
    std::uint64_t tensor_count = 0;
    std::uint64_t tensor_bytes = 0;

    std::uint64_t context_length = 0;  ///< tokens the model was trained for
    std::uint64_t embedding_length = 0;
    std::uint64_t block_count = 0;
    std::uint64_t vocab_size = 0;
    std::vector<std::uint64_t> head_count;     ///< one value for all layers, or one per layer
    std::vector<std::uint64_t> head_count_kv;  ///< the same
    std::uint64_t key_length = 0;
    std::uint64_t value_length = 0;
    std::uint64_t sliding_window = 0;
    /// Which layers slide: one value is a period, more are one flag (0 or 1) per layer.
    std::vector<std::uint64_t> sliding_window_pattern;
    std::uint64_t expert_count = 0;
    std::uint64_t expert_used_count = 0;

    std::string tokenizer;      ///< tokenizer.ggml.model: "gpt2"
    std::string tokenizer_pre;  ///< tokenizer.ggml.pre
    std::string chat_template;  ///< up to 1 MiB; the catalogue drops it, read_file() gives it
    std::uint64_t chat_template_bytes = 0;      ///< its length in the file; 0: there is none
    bool thinking = false;                      ///< the chat template has a thinking mode
    bool tools = false;                         ///< the chat template knows tools
    std::optional<std::uint32_t> pooling_type;  ///< present for embedding models; 4 is rank

    std::uint16_t split_no = 0;       ///< from 0
    std::uint16_t split_count = 0;    ///< 0 or 1: not split
    bool has_vision_encoder = false;  ///< clip.has_vision_encoder and its like, for mmproj files
    bool has_audio_encoder = false;
    std::uint64_t projection_dim = 0;  ///< clip.vision.projection_dim, for mmproj files
    std::string projector_type;        ///< clip.projector_type, for mmproj files
    std::string adapter_type;          ///< adapter.type, for adapters: "lora"
};

}  // namespace routerd::gguf
