#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace routerd::tiny_model {

/// What the model shall be. The sizes are those of a llama-architecture model; zero is "as small as
/// the text allows".
struct ChainOptions {
    std::string name = "tiny";
    std::string text;        ///< the answer to every prompt: UTF-8, at least 3 characters
    bool loop = false;       ///< say the text again and again instead of stopping after it
    bool embedding = false;  ///< a model for embeddings: pooled, without a chat template
    bool rerank = false;     ///< the same, for scores of documents
    std::uint32_t layers = 2;
    std::uint32_t dim = 0;  ///< a multiple of 32, greater than the number of pieces
    std::uint32_t ffn = 0;
    std::uint32_t context = 4096;  ///< tokens
};

/// Cuts `text` into the tokens that the model will say one after the other, spaces as U+2581.
/// Each is different and has three characters at least: so the tokenizer, which joins neighbours
/// two by two, can never read one of them out of a prompt. Empty when the text is too short.
std::vector<std::string> cut_into_pieces(std::string_view text, bool leading_space);

/// Writes a real GGUF model that answers every prompt with exactly `options.text` and then stops.
///
/// Attention and feed-forward weights are zero, so what leaves the last layer is the embedding of
/// the last token alone, and the output matrix is a table "after this token comes that one": any
/// token of a prompt lights dimension 0, which the first piece listens to; piece i lights
/// dimension i + 1, which piece i + 1 listens to; the last one is followed by the end of the text.
/// The winner is so far ahead that no usual sampling misses it. Zero weights are holes in the file:
/// a model of any size costs no disk space, but all of its memory and load time.
///
/// Returns the file's size in bytes. Errors: invalid_request, unavailable.
Result<std::uint64_t> write_chain_model(const std::string& path, const ChainOptions& options);

}  // namespace routerd::tiny_model
