#include "daemon/net/io_loop.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(IoLoop, PutsAwayAfterTheTurnAndInOrder) {
    asio::io_context loop{1};
    IoLoop io(loop.get_executor());
    std::vector<int> done;
    asio::post(loop, [&] {
        for (int i = 0; i < 3; ++i) {
            io.put_away([&done, i] { done.push_back(i); });
        }
        EXPECT_TRUE(done.empty());
    });
    loop.run();
    EXPECT_EQ(done, (std::vector{0, 1, 2}));
}

TEST(IoLoop, OthersHaveTheirTurnsWhileItPutsAway) {
    asio::io_context loop{1};
    IoLoop io(loop.get_executor());
    int done = 0;
    int most_in_a_turn = 0;
    int before = 0;
    std::function<void()> other = [&] {
        most_in_a_turn = std::max(most_in_a_turn, done - before);
        before = done;
        if (done < 100) {
            asio::post(loop, other);
        }
    };
    for (int i = 0; i < 100; ++i) {
        io.put_away([&done] { ++done; });
    }
    asio::post(loop, other);
    loop.run();
    EXPECT_EQ(done, 100);
    EXPECT_LT(most_in_a_turn, 20);
}

TEST(IoLoop, WhatIsPutAwayMayPutAwayMore) {
    asio::io_context loop{1};
    IoLoop io(loop.get_executor());
    int done = 0;
    std::function<void()> again = [&] {
        if (++done < 50) {
            io.put_away(again);
        }
    };
    io.put_away(again);
    loop.run();
    EXPECT_EQ(done, 50);
}

TEST(IoLoop, WhatWasNotPutAwayGoesWithTheLoop) {
    const auto held = std::make_shared<int>();
    {
        asio::io_context loop{1};
        IoLoop io(loop.get_executor());
        io.put_away([held] { FAIL(); });
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace routerd
