#include "common/base/free_memory.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(FreeMemoryTest, LeavesNothingBehind) {
    std::string text(1000, 'x');
    free_memory(text);
    EXPECT_EQ(text.capacity(), std::string().capacity());
    std::vector<int> numbers(1000);
    free_memory(numbers);
    EXPECT_EQ(numbers.capacity(), 0U);
}

}  // namespace
}  // namespace routerd
