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

bool is_repacked(std::uint32_t type, std::uint64_t rows) noexcept {
    return rows > 1 && rows % group_of_rows == 0 &&
           std::ranges::find(repacked_types, type) != repacked_types.end();
}

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

/// "token_embd.weight", "per_layer_token_embd.weight": only rows of it are ever read.
bool is_embedding(std::string_view name) noexcept {
    return name.ends_with("token_embd.weight");
}

}  // namespace

void WeightSums::add(std::string_view name, std::uint32_t type, std::uint64_t rows,
                     std::uint64_t bytes) {
    const auto repack = is_repacked(type, rows) ? bytes : 0;
    if (is_embedding(name)) {
        metadata_.embedding_bytes += bytes;
        embedding_repack_ = name == "token_embd.weight" ? repack : embedding_repack_;
        tail_ = 0;
        return;
    }
    tail_ = repack == 0 ? 0 : tail_ + repack;
    if (name == "output.weight") {
        metadata_.output_bytes += bytes;
        metadata_.output_repack_bytes += repack;
    } else if (const auto layer = layer_of(name)) {
        add_to(metadata_.layer_bytes, *layer, bytes);
        add_to(metadata_.layer_expert_bytes, *layer,
               name.find("_exps.") == std::string_view::npos ? 0 : bytes);
        add_to(metadata_.layer_repack_bytes, *layer, repack);
    }
}

void WeightSums::finish() {
    metadata_.repack_tail_bytes += tail_;
    if (metadata_.output_bytes == 0) {
        metadata_.output_repack_bytes += embedding_repack_;
    }
}

void add_part(Metadata& whole, const Metadata& part) {
    whole.parameters += part.parameters;
    whole.tensor_bytes += part.tensor_bytes;
    whole.tensor_count += part.tensor_count;
    add_all(whole.layer_bytes, part.layer_bytes);
    add_all(whole.layer_expert_bytes, part.layer_expert_bytes);
    add_all(whole.layer_repack_bytes, part.layer_repack_bytes);
    whole.embedding_bytes += part.embedding_bytes;
    // A part without output.weight took its own embedding for the output.
    const auto whole_repack =
        whole.output_bytes == 0 && part.output_bytes != 0 ? 0 : whole.output_repack_bytes;
    const auto part_repack =
        part.output_bytes == 0 && whole.output_bytes != 0 ? 0 : part.output_repack_bytes;
    whole.output_repack_bytes = whole_repack + part_repack;
    whole.output_bytes += part.output_bytes;
    whole.repack_tail_bytes += part.repack_tail_bytes;
}

}  // namespace routerd::gguf
