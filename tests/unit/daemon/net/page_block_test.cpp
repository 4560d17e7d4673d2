#include "daemon/net/page_block.hpp"

#include <cstring>
#include <utility>

#include <gtest/gtest.h>

namespace routerd {
namespace {

constexpr std::size_t size = 100'000;

TEST(PageBlockTest, HasRoomForWhatWasAskedFor) {
    for (const std::size_t wanted : {std::size_t{1}, size, std::size_t{5} << 20U}) {
        const PageBlock block(wanted);
        ASSERT_GE(block.size(), wanted);
        std::memset(block.data(), 'x', block.size());
        EXPECT_TRUE(block.contains({block.data(), block.size()}));
        EXPECT_FALSE(block.contains({block.data() + block.size() - 1, 2}));
    }
}

TEST(PageBlockTest, OneThatWasMovedFromIsEmpty) {
    PageBlock first(size);
    first.lend();
    const PageBlock second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
    EXPECT_FALSE(first.is_lent());
    EXPECT_TRUE(second.is_lent());
}

class PagePoolTest : public testing::Test {
  protected:
    /// Whether the next of that size is the one that was given back: new ones are empty.
    bool comes_again(PageBlock block, std::size_t next) {
        block.data()[0] = 'x';
        pool.give_back(std::move(block));
        return pool.take(next).data()[0] == 'x';
    }

    PagePool pool;
};

TEST_F(PagePoolTest, GivesWhatItWasGivenBack) {
    EXPECT_TRUE(comes_again(PageBlock(size), size));
    EXPECT_TRUE(comes_again(PageBlock(size), size / 2));
}

TEST_F(PagePoolTest, GivesNothingThatIsTooSmall) {
    EXPECT_FALSE(comes_again(PageBlock(size), size * 2));
}

TEST_F(PagePoolTest, GivesNothingThatIsFarTooLarge) {
    EXPECT_FALSE(comes_again(PageBlock(size * 100), size));
}

TEST_F(PagePoolTest, WhatIsLentDoesNotComeAgain) {
    PageBlock block(size);
    block.lend();
    block.lend();
    block.take_back();
    EXPECT_FALSE(comes_again(std::move(block), size));
}

TEST_F(PagePoolTest, WhatWasTakenBackComesAgain) {
    PageBlock block(size);
    block.lend();
    block.take_back();
    EXPECT_TRUE(comes_again(std::move(block), size));
}

TEST_F(PagePoolTest, KeepsNoMoreThanItMay) {
    for (int i = 0; i < 100; ++i) {
        PageBlock block(1U << 20U);
        block.data()[0] = 'x';
        pool.give_back(std::move(block));
    }
    int kept = 0;
    for (int i = 0; i < 100; ++i) {
        kept += pool.take(1U << 20U).data()[0] == 'x' ? 1 : 0;
    }
    EXPECT_EQ(kept, 8);  // of 2 MiB
}

}  // namespace
}  // namespace routerd
