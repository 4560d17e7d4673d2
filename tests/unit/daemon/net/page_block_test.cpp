#include "daemon/net/page_block.hpp"

#include <cstring>
#include <utility>
#include <vector>

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

    void give_back_used(std::size_t of) {
        PageBlock block(of);
        block.data()[0] = 'x';
        pool.give_back(std::move(block));
    }

    /// Takes blocks of that size until one is new: how many were not.
    int count_of_used(std::size_t of) {
        std::vector<PageBlock> taken;
        do {
            taken.push_back(pool.take(of));
        } while (taken.back().data()[0] == 'x');
        return static_cast<int>(taken.size()) - 1;
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
        give_back_used(1U << 20U);
    }
    EXPECT_EQ(count_of_used(1U << 20U), 8);  // of 2 MiB
}

TEST_F(PagePoolTest, WhatWasUsedLongAgoMakesRoomForOtherSizes) {
    for (int i = 0; i < 8; ++i) {
        give_back_used(1U << 20U);
    }
    EXPECT_TRUE(comes_again(PageBlock(size), size)) << "or each body of that size is mapped anew";
    EXPECT_EQ(count_of_used(1U << 20U), 7);
}

TEST_F(PagePoolTest, OneLargerThanAllItMayKeepDrivesNothingOut) {
    give_back_used(size);
    give_back_used(17U << 20U);
    EXPECT_EQ(count_of_used(17U << 20U), 0);
    EXPECT_EQ(count_of_used(size), 1);
}

}  // namespace
}  // namespace routerd
