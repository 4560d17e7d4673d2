#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/gguf/metadata.hpp"

namespace routerd::gguf {

/// Sorts the bytes of a file's tensors by what they are for: a layer, the experts in it, the
/// embedding, the output. Adds to `metadata`, which must outlive it.
///
/// Some matrices are held twice by a server that computes on the CPU: ggml (ggml-cpu/repack.cpp)
/// copies those of a few types, with rows in groups of eight, into an order that suits the
/// processor's vectors, while the mapped file keeps their pages until the kernel wants them back.
/// Counted here are the types for which it does that on every x86 processor with AVX2.
class WeightSums {
  public:
    explicit WeightSums(Metadata& metadata) : metadata_(metadata) {}

    /// One tensor, in the order of the file. `rows` is its second dimension.
    void add(std::string_view name, std::uint32_t type, std::uint64_t rows, std::uint64_t bytes);

    /// After the last tensor of a file.
    void finish();

  private:
    Metadata& metadata_;
    std::uint64_t tail_ = 0;              // repacked since the last tensor that is not
    std::uint64_t embedding_repack_ = 0;  // what a copy of the embedding as output would be
};

/// Adds what a further part of a split set holds.
void add_part(Metadata& whole, const Metadata& part);

}  // namespace routerd::gguf
