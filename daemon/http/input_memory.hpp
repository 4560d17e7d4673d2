#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "daemon/net/io_loop.hpp"

namespace routerd {

/// Where a connection's input lies: in a block of the loop, on the heap, or, where it is so large
/// that a model's server had better read it where it is, on pages. Loop thread only.
class InputMemory {
  public:
    /// Bytes behind the end that a parser may read, not use.
    static constexpr std::size_t padding = 64;
    /// Bytes of a block: enough for most heads and small bodies.
    static constexpr std::size_t least = BlockPool::size - padding;
    /// Bytes of pages before data(): enough for most heads that a server is sent with a body.
    static constexpr std::size_t before = 512;

    InputMemory() = default;
    /// Of `capacity` bytes at least; of pages from Lender::least on.
    InputMemory(IoLoop& loop, std::size_t capacity);

    char* data() const noexcept { return data_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Gives it to the next who needs such, unless a server may still read it. Empty afterwards.
    void give_back(IoLoop& loop) noexcept;

    /// Copies `front` to right before `part`, over what is there. Both, as one; empty: there is no
    /// room, or nothing may be written to it, or it is not of the kind.
    std::string_view join(std::string_view front, std::string_view part) noexcept;

    /// From now on nothing may be written to it. False: it is not of the kind.
    bool lend(std::string_view part) noexcept;
    /// One loan has ended.
    void take_back() noexcept { pages_.take_back(); }
    bool is_lent() const noexcept { return pages_.is_lent(); }

  private:
    bool can_lend(std::string_view part) const noexcept;

    BlockPool::Block block_;  // or of the heap
    PageBlock pages_;
    char* data_ = nullptr;
    std::size_t capacity_ = 0;  // without padding
};

}  // namespace routerd
