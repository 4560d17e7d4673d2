#include "daemon/telemetry/logging.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "common/base/time.hpp"
#include "daemon/telemetry/log_ring.hpp"

namespace routerd {
namespace {

class LoggingTest : public testing::Test {
  protected:
    ~LoggingTest() override { spdlog::set_default_logger(before_); }

    /// What one line looks like on stderr.
    static std::string line(const LogConfig& config, const std::string& message) {
        testing::internal::CaptureStderr();
        set_up_logging(config);
        spdlog::warn("{}", message);
        spdlog::info("not at this level");
        return testing::internal::GetCapturedStderr();
    }

    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(LoggingTest, WritesLinesForPeople) {
    const auto text = line({.level = "warn", .format = "text"}, "hello");
    EXPECT_TRUE(text.ends_with(" warning: hello\n")) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST_F(LoggingTest, WritesLinesForPrograms) {
    const auto text = line({.level = "error", .format = "json"}, "not seen");
    EXPECT_EQ(text, "");
    const auto seen = line({.level = "warn", .format = "json"}, "a \"b\"\n\xFF");
    const auto json = nlohmann::json::parse(seen);
    EXPECT_EQ(json.at("message"), "a \"b\"\\x0A\\xFF");
    EXPECT_EQ(json.at("level"), "warning");
    EXPECT_TRUE(parse_rfc3339(json.at("time").get<std::string>()));
}

TEST_F(LoggingTest, FeedsTheRing) {
    boost::asio::io_context loop;
    const LogRing ring(loop.get_executor());
    testing::internal::CaptureStderr();
    set_up_logging({.level = "info", .format = "text"});
    attach(ring);
    spdlog::info("hello");
    testing::internal::GetCapturedStderr();
    ASSERT_EQ(ring.after(0).size(), 1U);
    EXPECT_EQ(ring.after(0)[0].text, "info: hello");
}

}  // namespace
}  // namespace routerd
