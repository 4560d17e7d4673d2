#include "daemon/telemetry/log_ring.hpp"

#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

namespace routerd {
namespace {

class LogRingTest : public testing::Test {
  protected:
    boost::asio::io_context loop_{1};
    std::optional<LogRing> ring_{loop_.get_executor()};
    spdlog::logger logger_{"test", ring_->sink()};
};

TEST_F(LogRingTest, KeepsLinesWithNumbersAndLevels) {
    logger_.info("one {}", 1);
    logger_.warn("two\x1b[31m");
    const auto lines = ring_->after(0);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].number, 1U);
    EXPECT_EQ(lines[0].text, "info: one 1");
    EXPECT_EQ(lines[1].text, "warning: two\\x1B[31m");
    EXPECT_EQ(ring_->after(1).size(), 1U);
    EXPECT_EQ(ring_->after(2).size(), 0U);
    EXPECT_EQ(ring_->after(99).size(), 0U);
}

TEST_F(LogRingTest, KeepsTheNewestAndCutsTheLong) {
    for (std::size_t i = 0; i < LogRing::kept + 7; ++i) {
        logger_.info("{}", i);
    }
    EXPECT_EQ(ring_->after(0).size(), LogRing::kept);
    EXPECT_EQ(ring_->after(0).front().number, 8U);
    EXPECT_EQ(ring_->after(3).front().number, 8U);
    EXPECT_EQ(ring_->after(LogRing::kept).size(), 7U);
    logger_.info(std::string(100'000, '\x01'));
    EXPECT_LE(ring_->after(LogRing::kept + 7).at(0).text.size(), 8192U);
}

TEST_F(LogRingTest, TellsOnceForManyLinesOfOtherThreads) {
    int told = 0;
    const auto subscription = ring_->subscribe([&told] { ++told; });
    std::thread other([this] {
        for (int i = 0; i < 100; ++i) {
            logger_.info("x");
        }
    });
    other.join();
    loop_.run();
    EXPECT_EQ(told, 1);
    logger_.info("y");
    loop_.restart();
    loop_.run();
    EXPECT_EQ(told, 2);
}

TEST_F(LogRingTest, TheLoggerMayOutliveIt) {
    logger_.info("told to nobody");
    ring_.reset();
    logger_.info("after");
    loop_.run();
}

}  // namespace
}  // namespace routerd
