#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace routerd::gguf {

/// Of a file's tensors those that a server copies into another order when it loads them, for what
/// it computes on the CPU (see daemon/gguf/weights.hpp). In bytes as they are in the file.
struct Repacked {
    std::vector<std::uint64_t> layers;  ///< per layer, part of Metadata::layer_bytes
    std::uint64_t output = 0;           ///< of output.weight, or the embedding where that is it
    std::uint64_t tail = 0;             ///< after the last tensor that is not copied
    std::uint64_t extra = 0;            ///< by how much the copies of all are larger
};

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
    std::vector<std::uint64_t> feed_forward_length;  ///< one value for all layers, or one per layer
    std::uint64_t expert_feed_forward_length = 0;    ///< of one expert, where it is another
    std::uint64_t key_length_mla = 0;    ///< not 0: latent attention, keys alone are cached
    std::uint64_t key_length_swa = 0;    ///< of layers that slide, where it is another
    std::uint64_t value_length_swa = 0;  ///< the same
    std::uint64_t shared_kv_layers = 0;  ///< so many layers at the end use the cache of others
    std::uint64_t full_attention_interval = 0;  ///< n: only each n-th layer has attention
    std::uint64_t ssm_conv_kernel = 0;          ///< recurrent layers (Mamba and its kin)
    std::uint64_t ssm_inner_size = 0;
    std::uint64_t ssm_state_size = 0;
    std::uint64_t ssm_group_count = 0;
    std::uint64_t shortconv_l_cache = 0;  ///< recurrent layers of LFM2
    std::uint64_t wkv_head_size = 0;      ///< recurrent layers of RWKV
    std::uint64_t token_shift_count = 0;

    /// Bytes of tensors, per layer ("blk.N."), all parts of a split set. Empty or shorter than
    /// block_count where the file has no such tensors.
    std::vector<std::uint64_t> layer_bytes;
    std::vector<std::uint64_t> layer_expert_bytes;  ///< those of experts, part of the above
    std::uint64_t embedding_bytes = 0;  ///< token_embd and its like: rows are looked up in it
    std::uint64_t output_bytes = 0;     ///< output.weight; 0: the embedding serves as that, too
    Repacked repacked;                  ///< by processors with vectors (AVX2)
    Repacked tiled;                     ///< by those with tiles (AMX), which have vectors, too

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
    std::uint64_t projection_dim = 0;     ///< clip.vision.projection_dim, for mmproj files
    std::uint64_t vision_image_size = 0;  ///< pixels, clip.vision.image_size and so on
    std::uint64_t vision_patch_size = 0;
    std::uint64_t vision_embedding_length = 0;
    std::uint64_t vision_feed_forward_length = 0;
    std::uint64_t vision_head_count = 0;
    std::string projector_type;  ///< clip.projector_type, for mmproj files
    std::string adapter_type;    ///< adapter.type, for adapters: "lora"
};

}  // namespace routerd::gguf
