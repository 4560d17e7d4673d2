#include "daemon/transfer/extents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

Extents of(std::initializer_list<Range> ranges) {
    Extents extents;
    for (const auto& range : ranges) {
        extents.add(range);
    }
    return extents;
}

TEST(ExtentsTest, JoinsWhatTouchesAndOverlaps) {
    EXPECT_EQ(of({{0, 10}, {10, 20}}).to_text(), "0-20");
    EXPECT_EQ(of({{30, 40}, {0, 10}}).to_text(), "0-10,30-40");
    EXPECT_EQ(of({{30, 40}, {0, 10}, {5, 35}}).to_text(), "0-40");
    EXPECT_EQ(of({{0, 10}, {20, 30}, {40, 50}, {5, 45}}).to_text(), "0-50");
    EXPECT_EQ(of({{5, 5}}).to_text(), "");
}

TEST(ExtentsTest, RemovesFromTheMiddle) {
    auto extents = of({{0, 100}});
    extents.remove({40, 60});
    EXPECT_EQ(extents.to_text(), "0-40,60-100");
    EXPECT_EQ(extents.total(), 80U);
    extents.remove({30, 70});
    EXPECT_EQ(extents.to_text(), "0-30,70-100");
    extents.remove({200, 300});
    extents.remove({0, 1000});
    EXPECT_TRUE(extents.empty());
}

TEST(ExtentsTest, FindsTheFirstGap) {
    const auto extents = of({{0, 10}, {20, 30}});
    EXPECT_EQ(extents.gap(0, 100), (Range{10, 20}));
    EXPECT_EQ(extents.gap(0, 15), (Range{10, 15}));
    EXPECT_EQ(extents.gap(12, 100), (Range{12, 20}));
    EXPECT_EQ(extents.gap(20, 100), (Range{30, 100}));
    EXPECT_EQ(extents.gap(0, 10), std::nullopt);
    EXPECT_EQ(Extents().gap(0, 5), (Range{0, 5}));
}

TEST(ExtentsTest, KnowsWhereARunEnds) {
    const auto extents = of({{0, 10}, {20, 30}});
    EXPECT_EQ(extents.end_at(0), 10U);
    EXPECT_EQ(extents.end_at(10), 10U);
    EXPECT_EQ(extents.end_at(25), 30U);
}

TEST(ExtentsTest, IsReadBack) {
    const auto extents = of({{0, 10}, {20, 30}});
    const auto read = Extents::from_text(extents.to_text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, extents);
    EXPECT_EQ(*Extents::from_text(""), Extents());
}

TEST(ExtentsTest, RefusesWhatItNeverWrote) {
    for (const auto* text : {"x", "1", "5-1", "5-5", "0-10,5-20", "20-30,0-10", "0-10,",
                             "0-10,10-20", "-1-5", "0-99999999999999999999"}) {
        EXPECT_FALSE(Extents::from_text(text)) << text;
    }
}

}  // namespace
}  // namespace routerd::transfer
