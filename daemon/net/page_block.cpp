#include "daemon/net/page_block.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <new>

#include <sys/mman.h>

namespace routerd {
namespace {

constexpr std::size_t granule = 64U << 10U;  // bytes, so that blocks are of few sizes
constexpr std::size_t huge = 2U << 20U;      // bytes of a huge page
constexpr std::size_t most_waste = 4;        // times what was asked for

std::size_t round_up(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

char* map(std::size_t size) {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    return static_cast<char*>(memory);
}

/// Of huge pages, where the system has them: the kernel lends one as easily as a small one.
char* map_huge(std::size_t size) {
    auto* const begin = map(size + huge);
    void* aligned = begin;
    auto room = size + huge;
    std::align(huge, size, aligned, room);
    auto* const data = static_cast<char*>(aligned);
    if (data > begin) {
        ::munmap(begin, static_cast<std::size_t>(data - begin));
    }
    ::munmap(data + size, room - size);
    ::madvise(data, size, MADV_HUGEPAGE);
    return data;
}

}  // namespace

PageBlock::PageBlock(std::size_t size)
    : size_(round_up(size, size < huge / most_waste ? granule : huge)),
      data_(size_ % huge == 0 ? map_huge(size_) : map(size_)) {}

PageBlock::PageBlock(PageBlock&& other) noexcept
    : size_(std::exchange(other.size_, 0)),
      data_(std::exchange(other.data_, nullptr)),
      loans_(std::exchange(other.loans_, 0)) {}

PageBlock& PageBlock::operator=(PageBlock&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(loans_, other.loans_);
    return *this;
}

PageBlock::~PageBlock() {
    if (data_ != nullptr) {
        ::munmap(data_, size_);
    }
}

PageBlock PagePool::take(std::size_t size) {
    const auto fits = [size](const PageBlock& block) {
        return block.size() >= size && block.size() / most_waste <= size;
    };
    const auto found = std::find_if(free_.rbegin(), free_.rend(), fits);
    if (found == free_.rend()) {
        return PageBlock(size);
    }
    auto block = std::move(*found);
    free_size_ -= block.size();
    free_.erase(std::next(found).base());
    return block;
}

void PagePool::give_back(PageBlock block) noexcept {
    if (block.is_lent() || block.size() > most_free) {
        return;
    }
    auto kept = free_.begin();
    while (free_size_ + block.size() > most_free) {
        free_size_ -= kept->size();
        ++kept;
    }
    free_.erase(free_.begin(), kept);
    free_size_ += block.size();
    free_.push_back(std::move(block));
}

}  // namespace routerd
