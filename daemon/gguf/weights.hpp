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
/// Counted as repacked are the types for which it does that on every x86 processor with AVX2. Where
/// the processor has tiles, too (AMX), ggml (ggml-cpu/amx) first takes those that it can multiply
/// by these: nearly all types, F16 among them, in matrices whose rows are a multiple of 32 (experts
/// are none: they are stacks of such); in some types a copy has a few more bytes.
class WeightSums {
  public:
    explicit WeightSums(Metadata& metadata) : metadata_(metadata) {}

    struct Tensor {
        std::string_view name;
        std::uint32_t type = 0;  ///< ggml's number
        std::uint64_t row = 1;   ///< elements of a row, the first dimension
        std::uint64_t rows = 1;  ///< the second
        bool is_stack = false;   ///< it has a third
        std::uint64_t bytes = 0;
    };

    /// One tensor, in the order of the file.
    void add(const Tensor& tensor);

    /// After the last tensor of a file.
    void finish();

  private:
    /// Of what is copied, what is known at the end only.
    struct Open {
        std::uint64_t tail = 0;  // since the last tensor that is not copied
        std::uint64_t embedding = 0, embedding_extra = 0;  // as the output
    };
    struct Copied {
        std::uint64_t bytes = 0;
        std::uint64_t extra = 0;
    };
    static Copied repacked(const Tensor& tensor) noexcept;
    static Copied tiled(const Tensor& tensor) noexcept;
    void count(Repacked& sums, Open& open, const Tensor& tensor, const Copied& copied) const;
    void finish(Repacked& sums, const Open& open) const;

    Metadata& metadata_;
    Open repacked_;
    Open tiled_;
};

/// Adds what a further part of a split set holds.
void add_part(Metadata& whole, const Metadata& part);

}  // namespace routerd::gguf
