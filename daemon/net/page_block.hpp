#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace routerd {

/// Memory for large input, of whole pages, which a socket can be lent (Stream::lend()) in place of
/// a copy. While it is lent nothing may be written to it; to be unmapped it need not be taken back:
/// the kernel keeps what it still has to pass on.
class PageBlock {
  public:
    PageBlock() = default;
    /// Of `size` bytes at least. Its content is arbitrary. Throws std::bad_alloc.
    explicit PageBlock(std::size_t size);
    PageBlock(PageBlock&& other) noexcept;
    PageBlock& operator=(PageBlock&& other) noexcept;
    ~PageBlock();

    explicit operator bool() const noexcept { return data_ != nullptr; }
    char* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool contains(std::string_view bytes) const noexcept {
        return data_ != nullptr && bytes.data() >= data_ &&
               bytes.data() + bytes.size() <= data_ + size_;
    }

    /// Each loan ends by take_back() or not at all.
    void lend() noexcept { ++loans_; }
    void take_back() noexcept { --loans_; }
    bool is_lent() const noexcept { return loans_ > 0; }

  private:
    std::size_t size_ = 0;
    char* data_ = nullptr;
    unsigned loans_ = 0;
};

/// Blocks that are free, since new ones cost a page fault for each page. Those that nobody has used
/// for the longest time make room for others, whatever their sizes. One a loop; its thread only.
class PagePool {
  public:
    PageBlock take(std::size_t size);
    /// One that is lent is unmapped.
    void give_back(PageBlock block) noexcept;

  private:
    static constexpr std::size_t most_free = 16U << 20U;  // bytes of all
    std::vector<PageBlock> free_;                         // the last given back is the last
    std::size_t free_size_ = 0;
};

}  // namespace routerd
