#include "daemon/transfer/block.hpp"

#include <utility>

namespace routerd::transfer {

BlockPtr BlockPool::take(std::uint64_t offset) {
    BlockPtr block;
    if (free_.empty()) {
        block = std::make_unique_for_overwrite<Block>();  // not filled before it is needed
    } else {
        block = std::move(free_.back());
        free_.pop_back();
    }
    block->offset = offset;
    block->size = 0;
    ++in_use_;
    return block;
}

void BlockPool::give(BlockPtr block) {
    --in_use_;
    free_.push_back(std::move(block));
}

}  // namespace routerd::transfer
