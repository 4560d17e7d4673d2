#include "daemon/telemetry/logging.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/log.hpp"
#include "common/base/log_about.hpp"
#include "common/base/time.hpp"
#include "daemon/telemetry/log_ring.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

class LoggingTest : public testing::Test {
  protected:
    ~LoggingTest() override { spdlog::set_default_logger(before_); }

    /// What one line looks like on stderr.
    static std::string line(const LogConfig& config, const std::string& message) {
        testing::internal::CaptureStderr();
        EXPECT_TRUE(set_up_logging(config));
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

TEST_F(LoggingTest, EscapesWhatIsForeignAndEndsLongLines) {
    const auto text = line({.level = "warn", .format = "text"}, "a\nb\x1b[31m\xFF\u202e");
    EXPECT_TRUE(text.ends_with("warning: a\\x0Ab\\x1B[31m\\xFF\\u{202E}\n")) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    for (const auto* format : {"text", "json"}) {
        const auto cut =
            line({.level = "warn", .format = format}, std::string(20'000, '\x01') + "tail");
        EXPECT_LE(cut.size(), 8192U);
        EXPECT_EQ(cut.find("tail"), std::string::npos);
    }
}

TEST_F(LoggingTest, NamesTheRequestThatALineIsAbout) {
    {
        const LogAbout about("req-1");
        EXPECT_TRUE(
            line({.level = "warn", .format = "text"}, "slow").ends_with(" warning: req-1 slow\n"));
        const auto json = nlohmann::json::parse(line({.level = "warn", .format = "json"}, "slow"));
        EXPECT_EQ(json.at("request"), "req-1");
        EXPECT_EQ(json.at("message"), "slow");
    }
    EXPECT_TRUE(line({.level = "warn", .format = "text"}, "slow").ends_with(" warning: slow\n"));
}

class LogFileTest : public LoggingTest {
  protected:
    static std::string content(const std::string& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    test::TempDir dir_;
    std::string path_ = dir_.path() + "/x.log";
};

TEST_F(LogFileTest, AppendsToAFileAndOpensItAnew) {
    std::ofstream(path_) << "before\n";
    ASSERT_TRUE(set_up_logging({.level = "info", .format = "text", .file = path_}));
    spdlog::info("one");
    std::filesystem::rename(path_, path_ + ".1");
    spdlog::info("two");
    ASSERT_TRUE(reopen_log());
    spdlog::info("three");
    EXPECT_THAT(content(path_ + ".1"),
                testing::AllOf(testing::StartsWith("before\n"), testing::HasSubstr("info: one\n"),
                               testing::EndsWith("info: two\n")));
    EXPECT_TRUE(content(path_).ends_with("info: three\n"));
}

TEST_F(LogFileTest, AReloadChangesAllOfIt) {
    testing::internal::CaptureStderr();
    ASSERT_TRUE(set_up_logging({.level = "warn", .format = "text"}));
    spdlog::info("not seen");
    ASSERT_TRUE(change_logging({.level = "debug", .format = "json", .file = path_}));
    spdlog::debug("seen");
    const auto bad = change_logging({.level = "error", .format = "text", .file = "/nowhere/x"});
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().message().find("/nowhere/x"), std::string::npos);
    spdlog::info("as before");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_THAT(content(path_), testing::AllOf(testing::HasSubstr("\"seen\""),
                                               testing::HasSubstr("\"as before\"")));
}

TEST_F(LogFileTest, TheLevelAloneChanges) {
    ASSERT_TRUE(set_up_logging({.level = "warn", .format = "text", .file = path_}));
    EXPECT_EQ(log_level(), "warn");
    set_log_level("debug");
    EXPECT_EQ(log_level(), "debug");
    spdlog::debug("seen");
    EXPECT_TRUE(content(path_).ends_with("debug: seen\n"));
}

TEST_F(LoggingTest, FeedsTheRing) {
    boost::asio::io_context loop;
    const LogRing ring(loop.get_executor());
    testing::internal::CaptureStderr();
    EXPECT_TRUE(set_up_logging({.level = "info", .format = "text"}));
    attach(ring);
    spdlog::info("hello");
    testing::internal::GetCapturedStderr();
    ASSERT_EQ(ring.after(0).size(), 1U);
    EXPECT_EQ(ring.after(0)[0].text, "info: hello");
}

}  // namespace
}  // namespace routerd
