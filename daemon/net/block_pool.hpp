#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace routerd {

/// Blocks of one size for what connections hold while a message passes: they come and go with each
/// request, and malloc() is slow for more than a kilobyte. One a loop; its thread only.
class BlockPool {
  public:
    static constexpr std::size_t size = 2048;  ///< bytes of a block
    using Block = std::unique_ptr<char[]>;

    /// Its content is what the last one left in it.
    Block take() {
        if (free_.empty()) {
            return std::make_unique_for_overwrite<char[]>(size);
        }
        auto block = std::move(free_.back());
        free_.pop_back();
        return block;
    }

    void give_back(Block block) {
        if (free_.size() < most_free) {
            free_.push_back(std::move(block));
        }
    }

  private:
    static constexpr std::size_t most_free = 256;
    std::vector<Block> free_;
};

}  // namespace routerd
