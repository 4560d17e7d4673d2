#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "daemon/net/task_group.hpp"
#include "daemon/process/log_file.hpp"
#include "daemon/process/log_follower.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LineSplitterTest, GivesWholeLinesAndCutsEndlessOnes) {
    std::vector<std::string> lines;
    const auto add = [&lines](std::string_view line) { lines.emplace_back(line); };
    LineSplitter splitter;
    splitter.feed("one\ntw", add);
    splitter.feed("o\r\n\nthr", add);
    EXPECT_THAT(lines, ElementsAre("one", "two", ""));
    EXPECT_EQ(splitter.unfinished(), "thr");
    lines.clear();
    splitter.feed(std::string(100000, 'x'), add);
    splitter.feed("\nnext\n", add);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines.front().size(), LineSplitter::limit);
    EXPECT_EQ(lines.back(), "next");
}

TEST(LogClockTest, CountsAServersStampsFromItsStart) {
    const WallTime start{1795267375s};
    LogClock clock;
    EXPECT_EQ(clock.time_of("0.00.001.000 I before any start"), std::nullopt);
    auto marker = start_marker(start, "server -m x");
    marker.pop_back();
    EXPECT_EQ(clock.time_of(marker), start);
    EXPECT_EQ(clock.time_of("1.02.345.678 I srv: hello"), start + 62345678us);
    EXPECT_EQ(clock.time_of("no stamp"), start + 62345678us);
    EXPECT_EQ(clock.time_of("1.99.000.000 is no stamp"), start + 62345678us);
    LogClock later;
    auto rotated = rotation_marker(start + 1h, start, 5);
    rotated.pop_back();
    EXPECT_EQ(later.time_of(rotated), start + 1h);
    EXPECT_EQ(later.time_of("61.00.000.000 I on"), start + 61min);
}

class LogFileTest : public testing::Test {
  protected:
    LogFileTest() {
        auto opened = LogFile::open(loop_.get_executor(), pool_, {dir_ / "a.log", 128U << 10U});
        EXPECT_TRUE(opened);
        log_ = std::move(*opened);
        log_->on_line([this](std::string_view line) { lines_.emplace_back(line); });
    }

    void write(const std::string& text) const {
        EXPECT_EQ(::write(log_->fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    void catch_up() {
        loop_.restart();
        run(loop_, log_->catch_up());
    }

    LogPage read(const LogQuery& query = {}) {
        LogPage page;
        loop_.restart();
        run(loop_, read_into(page, query));
        return page;
    }

    asio::awaitable<void> read_into(LogPage& page, LogQuery query) {
        auto got = co_await log_->read(query);
        EXPECT_TRUE(got);
        page = std::move(*got);
    }

    static std::vector<std::string> texts(const LogPage& page) {
        std::vector<std::string> all;
        for (const auto& line : page.lines) {
            all.push_back(line.text);
        }
        return all;
    }

    std::uintmax_t size_of(const std::string& name) const {
        return std::filesystem::file_size(dir_ / name);
    }

    TempDir dir_;
    asio::io_context loop_{1};
    asio::thread_pool pool_{1};
    std::unique_ptr<LogFile> log_;
    std::vector<std::string> lines_;
};

TEST_F(LogFileTest, IsReadableByItsOwnerOnly) {
    struct stat info {};
    ASSERT_EQ(::stat((dir_ / "a.log").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(LogFileTest, HandsOnWhatIsNew) {
    ASSERT_TRUE(log_->begin(std::chrono::system_clock::now(), "server"));
    write("one\ntwo\nthr");
    catch_up();
    ASSERT_EQ(lines_.size(), 3U);
    EXPECT_THAT(lines_.front(), HasSubstr("] start: server"));
    write("ee\n");
    catch_up();
    EXPECT_EQ(lines_.back(), "three");
}

TEST_F(LogFileTest, KeepsTheNewestInTwoHalves) {
    std::string line(99, 'x');
    for (int i = 0; i < 3000; ++i) {
        write(std::to_string(100000 + i) + line.substr(6) + "\n");
        if (i % 100 == 0) {
            catch_up();
        }
    }
    catch_up();
    EXPECT_LE(size_of("a.log") + size_of("a.log.1"), (128U << 10U) + 200);
    const auto page = read();
    EXPECT_THAT(texts(page), testing::Contains(testing::StartsWith("102999")));
    EXPECT_GT(page.lines.size(), 480U);
}

TEST_F(LogFileTest, SaysWhatAFloodLost) {
    const std::string part(1U << 16U, 'x');
    for (int i = 0; i < 64; ++i) {  // 4 MiB at once, the cap is 128 KiB
        write(part.substr(0, part.size() - 1) + "\n");
    }
    catch_up();
    EXPECT_LE(size_of("a.log"), 200U);
    EXPECT_LE(size_of("a.log.1"), (64U << 10U) + 200);
    EXPECT_THAT(read().lines.front().text, HasSubstr("bytes dropped"));
}

TEST_F(LogFileTest, GivesTheLastLinesAndThoseSince) {
    const auto start = std::chrono::system_clock::now() - 1h;
    ASSERT_TRUE(log_->begin(start, "server"));
    write("0.01.000.000 I early\n30.00.000.000 I middle\n59.00.000.000 I late\n");
    LogQuery query;
    query.last_lines = 2;
    EXPECT_THAT(texts(read(query)), ElementsAre(HasSubstr("middle"), HasSubstr("late")));
    query = {};
    query.since = start + 10min;
    EXPECT_THAT(texts(read(query)), ElementsAre(HasSubstr("middle"), HasSubstr("late")));
}

TEST_F(LogFileTest, FollowsAcrossARotation) {
    write("one\n");
    catch_up();
    auto page = read();
    LogQuery query;
    query.from = page.next;
    write("two\nthr");
    catch_up();
    page = read(query);
    EXPECT_THAT(texts(page), ElementsAre("two"));
    query.from = page.next;
    write("ee\n" + std::string(50000, 'x') + "\n");
    catch_up();  // near the half: rotated
    write("four\n");
    catch_up();
    page = read(query);
    EXPECT_FALSE(page.skipped);
    EXPECT_EQ(page.lines.front().text, "three");
    EXPECT_EQ(page.lines.back().text, "four");
}

TEST_F(LogFileTest, MakesBinaryAndEndlessLinesHarmless) {
    write(std::string("a\x1b[31m\0b\n", 9) + std::string(20000, 'y'));
    catch_up();
    const auto page = read();
    ASSERT_EQ(page.lines.size(), 2U);
    EXPECT_EQ(page.lines.front().text, "a\\x1B[31m\\x00b");
    EXPECT_EQ(page.lines.back().text.size(), LineSplitter::limit);
}

TEST_F(LogFileTest, IsFollowedByTheEventsOfTheFile) {
    auto made = LogFollower::make(loop_.get_executor());
    ASSERT_TRUE(made);
    auto& follower = **made;
    ASSERT_TRUE(follower.watch(*log_));
    TaskGroup group(loop_.get_executor(), "test");
    group.spawn(follower.run());
    write("hello\n");
    auto scenario = [&]() -> asio::awaitable<void> {
        const auto deadline = std::chrono::steady_clock::now() + 5s;
        co_await log_->wait_past(0, deadline);
        EXPECT_THAT(lines_, ElementsAre("hello"));
        follower.stop();
        co_await group.wait();
    };
    run(loop_, scenario());
}

}  // namespace
}  // namespace routerd::test
