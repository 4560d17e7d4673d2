#include "tools/tiny_model/chain_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <unordered_set>
#include <utility>

#include "common/base/text.hpp"
#include "tools/tiny_model/gguf_writer.hpp"

namespace routerd::tiny_model {
namespace {

constexpr std::string_view space_mark = "\u2581";  // how this tokenizer writes a space
constexpr std::size_t shortest_piece = 3;          // characters
constexpr std::uint32_t head_size = 32;
constexpr std::uint32_t spare_dims = 32;  // where prompt tokens differ from each other
constexpr std::uint32_t begin_token = 1;
constexpr std::uint32_t end_token = 2;
constexpr float winning_weight = 3.0F;
constexpr float noise = 0.35F;  // length of the part that tells prompt tokens apart

constexpr std::int32_t normal = 1;
constexpr std::int32_t unknown = 2;
constexpr std::int32_t control = 3;
constexpr std::int32_t byte = 6;

// Ends in '>', which no prompt's tail can join with.
constexpr std::string_view chat_template =
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

struct Vocabulary {
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    std::size_t pieces_from = 0;  ///< tokens before it can appear in a prompt

    std::size_t pieces() const { return tokens.size() - pieces_from; }
    void add(std::string token, float score, std::int32_t type) {
        tokens.push_back(std::move(token));
        scores.push_back(score);
        types.push_back(type);
    }
};

std::size_t characters(std::string_view text) {
    const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_start));
}

/// Every byte, the space and the printable ASCII characters: enough to read any prompt.
Vocabulary prompt_vocabulary() {
    Vocabulary out;
    out.add("<unk>", 0, unknown);
    out.add("<s>", 0, control);
    out.add("</s>", 0, control);
    for (unsigned value = 0; value < 256; ++value) {
        char name[8];
        std::snprintf(name, sizeof(name), "<0x%02X>", value);
        out.add(name, 0, byte);
    }
    out.add(std::string(space_mark), 0, normal);
    for (char c = '!'; c <= '~'; ++c) {
        out.add(std::string(1, c), 0, normal);
    }
    out.pieces_from = out.tokens.size();
    return out;
}

Vocabulary vocabulary(const std::vector<std::string>& pieces) {
    auto out = prompt_vocabulary();
    float score = -10000;  // the tokenizer's last choice
    for (const auto& piece : pieces) {
        out.add(piece, score, normal);
        score -= 1;
    }
    return out;
}

Result<void> check(const ChainOptions& options, std::size_t pieces) {
    std::string visible = options.text;
    std::erase_if(visible, [](char c) { return c == '\n' || c == '\t'; });
    if (escaped(visible) != visible || visible.find(space_mark) != std::string::npos) {
        return Error(Errc::invalid_request,
                     "the text must be UTF-8 without control characters and without U+2581");
    }
    if (pieces == 0) {
        return Error(Errc::invalid_request, "the text needs at least 3 characters");
    }
    if (options.dim % head_size != 0 || (options.dim != 0 && options.dim < pieces + 2)) {
        return Error(Errc::invalid_request, "the dimension " + std::to_string(options.dim) +
                                                " must be a multiple of 32 and "
                                                "at least " +
                                                std::to_string(pieces + 2) + " for this text");
    }
    if (options.layers == 0 || options.context == 0) {
        return Error(Errc::invalid_request, "layers and context must be at least 1");
    }
    return {};
}

void add_metadata(GgufWriter& file, const ChainOptions& options, const Vocabulary& vocab) {
    file.add("general.architecture", "llama");
    file.add("general.type", "model");
    file.add("general.name", options.name);
    file.add("general.file_type", 0U);
    file.add("llama.context_length", options.context);
    file.add("llama.embedding_length", options.dim);
    file.add("llama.block_count", options.layers);
    file.add("llama.feed_forward_length", options.ffn);
    file.add("llama.attention.head_count", options.dim / head_size);
    file.add("llama.attention.head_count_kv", options.dim / head_size);
    file.add("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    file.add("llama.rope.dimension_count", head_size);
    file.add("llama.vocab_size", static_cast<std::uint32_t>(vocab.tokens.size()));
    file.add("tokenizer.ggml.model", "llama");
    file.add("tokenizer.ggml.pre", "default");
    file.add("tokenizer.ggml.tokens", vocab.tokens);
    file.add("tokenizer.ggml.scores", vocab.scores);
    file.add("tokenizer.ggml.token_type", vocab.types);
    file.add("tokenizer.ggml.bos_token_id", begin_token);
    file.add("tokenizer.ggml.eos_token_id", end_token);
    file.add("tokenizer.ggml.unknown_token_id", 0U);
    file.add("tokenizer.ggml.add_bos_token", true);
    file.add("tokenizer.ggml.add_space_prefix", false);
    if (options.rerank) {
        file.add("llama.pooling_type", 4U);  // rank
    } else if (options.embedding) {
        file.add("llama.pooling_type", 1U);  // mean
    } else {
        file.add("tokenizer.chat_template", std::string(chat_template));
    }
}

/// Row t: what token t lights up.
std::vector<float> embedding_table(const Vocabulary& vocab, std::uint32_t dim) {
    std::vector<float> table(vocab.tokens.size() * dim);
    const auto first_spare = vocab.pieces() + 1;
    std::mt19937 random(42);  // the same file every time
    const auto scale = noise / std::sqrt(static_cast<float>(dim - first_spare));
    for (std::size_t token = 0; token < vocab.pieces_from; ++token) {
        table[token * dim] = 1.0F;
        for (auto i = first_spare; i < dim; ++i) {
            table[token * dim + i] = (random() % 2 == 0) ? scale : -scale;
        }
    }
    for (std::size_t piece = 0; piece < vocab.pieces(); ++piece) {
        table[(vocab.pieces_from + piece) * dim + piece + 1] = 1.0F;
    }
    return table;
}

/// Row t: the dimension after which token t comes.
std::vector<float> output_table(const Vocabulary& vocab, std::uint32_t dim, bool loop) {
    std::vector<float> table(vocab.tokens.size() * dim);
    for (std::size_t piece = 0; piece < vocab.pieces(); ++piece) {
        table[(vocab.pieces_from + piece) * dim + piece] = winning_weight;
    }
    const auto after_last = loop ? vocab.pieces_from : end_token;
    table[after_last * dim + vocab.pieces()] = winning_weight;
    return table;
}

void add_layer(GgufWriter& file, std::uint32_t layer, std::uint32_t dim, std::uint32_t ffn) {
    const auto prefix = "blk." + std::to_string(layer) + ".";
    file.add_tensor(prefix + "attn_norm.weight", {dim}, std::vector<float>(dim, 1.0F));
    for (const auto* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
        file.add_zero_tensor(prefix + name + ".weight", {dim, dim}, ElementType::f16);
    }
    file.add_tensor(prefix + "ffn_norm.weight", {dim}, std::vector<float>(dim, 1.0F));
    file.add_zero_tensor(prefix + "ffn_gate.weight", {dim, ffn}, ElementType::f16);
    file.add_zero_tensor(prefix + "ffn_up.weight", {dim, ffn}, ElementType::f16);
    file.add_zero_tensor(prefix + "ffn_down.weight", {ffn, dim}, ElementType::f16);
}

}  // namespace

std::vector<std::string> cut_into_pieces(std::string_view text, bool leading_space) {
    std::vector<std::string> pieces;
    std::unordered_set<std::string> used;
    std::string piece;
    bool first = !leading_space;
    for (const auto word : split(text, ' ')) {
        piece += first ? "" : space_mark;
        piece += word;
        first = false;
        if (characters(piece) >= shortest_piece && used.insert(piece).second) {
            pieces.push_back(std::move(piece));
            piece.clear();
        }
    }
    if (!piece.empty() && !pieces.empty()) {  // a last word that is short or was there before
        do {
            piece.insert(0, pieces.back());
            pieces.pop_back();
        } while (std::find(pieces.begin(), pieces.end(), piece) != pieces.end());
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

Result<std::uint64_t> write_chain_model(const std::string& path, const ChainOptions& wanted) {
    const auto pieces = cut_into_pieces(wanted.text, wanted.loop);
    const auto valid = check(wanted, pieces.size());
    if (!valid) {
        return valid.error();
    }
    auto options = wanted;
    if (options.dim == 0) {
        const auto needed = static_cast<std::uint32_t>(pieces.size()) + 2 + spare_dims;
        options.dim = (needed + head_size - 1) / head_size * head_size;
    }
    if (options.ffn == 0) {
        options.ffn = 2 * options.dim;
    }
    const auto vocab = vocabulary(pieces);
    const std::uint64_t rows = vocab.tokens.size();
    GgufWriter file;
    add_metadata(file, options, vocab);
    file.add_tensor("token_embd.weight", {options.dim, rows}, embedding_table(vocab, options.dim));
    file.add_tensor("output_norm.weight", {options.dim}, std::vector<float>(options.dim, 1.0F));
    file.add_tensor("output.weight", {options.dim, rows},
                    output_table(vocab, options.dim, options.loop));
    for (std::uint32_t layer = 0; layer < options.layers; ++layer) {
        add_layer(file, layer, options.dim, options.ffn);
    }
    return file.write(path);
}

}  // namespace routerd::tiny_model
