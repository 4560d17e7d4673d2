#include "daemon/gguf/weights.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace routerd::gguf {
namespace {

using Layers = std::vector<std::uint64_t>;

constexpr std::size_t most_counted = 1024;  // counted apart; of more no model is known
constexpr std::uint64_t group_of_rows = 8;
constexpr std::array<std::uint32_t, 3> repacked_types{2, 12, 20};  // Q4_0, Q4_K, IQ4_NL

constexpr std::uint64_t tile_rows = 32;
constexpr std::uint32_t f16 = 1;
constexpr std::uint64_t f16_row = 16;  // elements, or a multiple

/// What tiles take: so many bytes a block, and so many more in the copy (amx/mmq.cpp,
/// get_row_size()).
struct TiledType {
    std::uint32_t number;
    std::uint64_t block;
    std::uint64_t more;
};
constexpr std::array<TiledType, 8> tiled_types{{{f16, 2, 0},
                                                {2, 18, 0},      // Q4_0
                                                {3, 20, 0},      // Q4_1
                                                {8, 34, 4},      // Q8_0
                                                {12, 144, 4},    // Q4_K
                                                {13, 176, 4},    // Q5_K
                                                {14, 210, 0},    // Q6_K
                                                {23, 136, 2}}};  // IQ4_XS

/// 7 for "blk.7.attn_q.weight".
std::optional<std::size_t> layer_of(std::string_view name) noexcept {
    constexpr std::string_view prefix = "blk.";
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    std::size_t layer = 0;
    const auto* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, layer);
    const bool is_layer = error == std::errc() && stop != end && *stop == '.';
    return is_layer && layer < most_counted ? std::optional(layer) : std::nullopt;
}

void add_to(Layers& layers, std::size_t layer, std::uint64_t bytes) {
    if (bytes == 0) {
        return;
    }
    layers.resize(std::max(layers.size(), layer + 1));
    layers[layer] += bytes;
}

void add_all(Layers& to, const Layers& from) {
    to.resize(std::max(to.size(), from.size()));
    for (std::size_t i = 0; i < from.size(); ++i) {
        to[i] += from[i];
    }
}

/// `only_…`: which of the two has the set's output.weight, where one has: the other took its own
/// embedding for the output.
void add_repacked(Repacked& whole, const Repacked& part, bool only_whole, bool only_part) {
    add_all(whole.layers, part.layers);
    whole.output = (only_part ? 0 : whole.output) + (only_whole ? 0 : part.output);
    whole.tail += part.tail;
    whole.extra += part.extra;
}

/// "token_embd.weight", "per_layer_token_embd.weight": only rows of it are ever read.
bool is_embedding(std::string_view name) noexcept {
    return name.ends_with("token_embd.weight");
}

}  // namespace

WeightSums::Copied WeightSums::repacked(const Tensor& tensor) noexcept {
    const bool is_repacked = tensor.rows > 1 && tensor.rows % group_of_rows == 0 &&
                             std::ranges::find(repacked_types, tensor.type) != repacked_types.end();
    return {is_repacked ? tensor.bytes : 0, 0};
}

/// What tiles cannot take is repacked for vectors.
WeightSums::Copied WeightSums::tiled(const Tensor& tensor) noexcept {
    const auto* const type = std::ranges::find(tiled_types, tensor.type, &TiledType::number);
    const bool is_tiled = type != tiled_types.end() && !tensor.is_stack && tensor.rows > 1 &&
                          tensor.rows % tile_rows == 0 &&
                          (tensor.type != f16 || tensor.row % f16_row == 0);
    return is_tiled ? Copied{tensor.bytes, tensor.bytes / type->block * type->more}
                    : repacked(tensor);
}

void WeightSums::count(Repacked& sums, Open& open, const Tensor& tensor,
                       const Copied& copied) const {
    if (is_embedding(tensor.name)) {
        if (tensor.name == "token_embd.weight") {
            open.embedding = copied.bytes;
            open.embedding_extra = copied.extra;
        }
        open.tail = 0;
        return;
    }
    open.tail = copied.bytes == 0 ? 0 : open.tail + copied.bytes;
    const auto layer = layer_of(tensor.name);
    if (tensor.name == "output.weight") {
        sums.output += copied.bytes;
    } else if (layer) {
        add_to(sums.layers, *layer, copied.bytes);
    }
    sums.extra += copied.extra;
}

void WeightSums::add(const Tensor& tensor) {
    count(metadata_.repacked, repacked_, tensor, repacked(tensor));
    count(metadata_.tiled, tiled_, tensor, tiled(tensor));
    if (is_embedding(tensor.name)) {
        metadata_.embedding_bytes += tensor.bytes;
    } else if (tensor.name == "output.weight") {
        metadata_.output_bytes += tensor.bytes;
    } else if (const auto layer = layer_of(tensor.name)) {
        add_to(metadata_.layer_bytes, *layer, tensor.bytes);
        add_to(metadata_.layer_expert_bytes, *layer,
               tensor.name.find("_exps.") == std::string_view::npos ? 0 : tensor.bytes);
    }
}

void WeightSums::finish(Repacked& sums, const Open& open) const {
    sums.tail += open.tail;
    if (metadata_.output_bytes == 0) {
        sums.output += open.embedding;
        sums.extra += open.embedding_extra;
    }
}

void WeightSums::finish() {
    finish(metadata_.repacked, repacked_);
    finish(metadata_.tiled, tiled_);
}

void add_part(Metadata& whole, const Metadata& part) {
    whole.parameters += part.parameters;
    whole.tensor_bytes += part.tensor_bytes;
    whole.tensor_count += part.tensor_count;
    add_all(whole.layer_bytes, part.layer_bytes);
    add_all(whole.layer_expert_bytes, part.layer_expert_bytes);
    whole.embedding_bytes += part.embedding_bytes;
    const bool only_whole = whole.output_bytes != 0 && part.output_bytes == 0;
    const bool only_part = whole.output_bytes == 0 && part.output_bytes != 0;
    add_repacked(whole.repacked, part.repacked, only_whole, only_part);
    add_repacked(whole.tiled, part.tiled, only_whole, only_part);
    whole.output_bytes += part.output_bytes;
}

}  // namespace routerd::gguf
