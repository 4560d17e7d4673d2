#include "daemon/transfer/block.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

TEST(BlockTest, KnowsItsBytesAndTheirPlace) {
    BlockPool pool;
    const auto block = pool.take(1000);
    EXPECT_EQ(block->offset, 1000U);
    EXPECT_TRUE(block->bytes().empty());
    block->data[0] = 'a';
    block->data[1] = 'b';
    block->size = 2;
    EXPECT_EQ(block->end(), 1002U);
    EXPECT_EQ(std::string_view(block->bytes().data(), block->bytes().size()), "ab");
}

TEST(BlockTest, IsUsedAgainAsIfItWereNew) {
    BlockPool pool;
    auto block = pool.take(0);
    const auto* const first = block.get();
    block->size = Block::capacity;
    pool.give(std::move(block));
    const auto again = pool.take(7);
    EXPECT_EQ(again.get(), first);
    EXPECT_EQ(again->offset, 7U);
    EXPECT_EQ(again->size, 0U);
}

TEST(BlockTest, ThePoolCountsWhatIsOut) {
    BlockPool pool;
    EXPECT_EQ(pool.in_use(), 0U);
    auto one = pool.take(0);
    auto two = pool.take(0);
    EXPECT_NE(one.get(), two.get());
    EXPECT_EQ(pool.in_use(), 2U);
    pool.give(std::move(one));
    EXPECT_EQ(pool.in_use(), 1U);
    pool.shrink();  // what is out stays whole
    two->data[0] = 'x';
    pool.give(std::move(two));
    EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace routerd::transfer
