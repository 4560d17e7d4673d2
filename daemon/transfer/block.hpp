#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace routerd::transfer {

/// Some bytes of a file between their arrival and their way into the file and the digest.
struct Block {  // NOLINT(cppcoreguidelines-pro-type-member-init): see `data`
    static constexpr std::size_t capacity = std::size_t{128} << 10U;

    std::uint64_t offset = 0;  ///< in the file
    std::size_t size = 0;      ///< bytes of `data` that are filled
    /// Not filled before it is needed. Where the disk can take it without a copy: see
    /// PartFile::alignment.
    alignas(4096) std::array<char, capacity> data;

    std::uint64_t end() const noexcept { return offset + size; }
    std::span<const char> bytes() const noexcept { return {data.data(), size}; }
};

using BlockPtr = std::unique_ptr<Block>;

/// Blocks that are used again. One thread; others may hold blocks.
class BlockPool {
  public:
    BlockPtr take(std::uint64_t offset);
    void give(BlockPtr block);

    /// Those that were taken and not given back.
    std::size_t in_use() const noexcept { return in_use_; }

    /// Gives memory back to the system, when nothing is fetched.
    void shrink() { free_.clear(); }

  private:
    std::vector<BlockPtr> free_;
    std::size_t in_use_ = 0;
};

}  // namespace routerd::transfer
