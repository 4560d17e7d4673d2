#include "daemon/catalog/headers.hpp"

#include <chrono>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "common/base/unique_fd.hpp"
#include "daemon/catalog/writer_probe.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

FileStamp stamp_of_file(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return stamp_of(status);
}

class HeadersTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { ignore_lease_signal(); }

    test::TempDir folder_;
    std::string path_ = folder_.write("a.gguf", test::GgufWriter::model().file());
    Headers headers_;
};

TEST_F(HeadersTest, ReadsAFileOnceWhileItStaysTheSame) {
    const auto stamp = stamp_of_file(path_);
    EXPECT_EQ(headers_.get(path_, stamp, false).state, Header::State::good);
    EXPECT_EQ(headers_.get(path_, stamp, false).state, Header::State::good);
    EXPECT_EQ(headers_.reads(), 1U);
    auto changed = stamp;
    changed.modified_ns += 1;
    headers_.get(path_, changed, false);
    headers_.get(path_, changed, true);
    EXPECT_EQ(headers_.reads(), 3U);
}

TEST_F(HeadersTest, SurvivesARestartAsRows) {
    const auto bad = folder_.write("bad.gguf", "<html>");
    headers_.get(path_, stamp_of_file(path_), false);
    headers_.get(bad, stamp_of_file(bad), false);
    const auto changes = headers_.finish_scan();
    EXPECT_EQ(changes.written.size(), 2U);

    Headers again;
    again.restore(changes.written);
    const auto header = again.get(path_, stamp_of_file(path_), false);
    ASSERT_EQ(header.state, Header::State::good);
    EXPECT_EQ(header.metadata->architecture, "llama");
    EXPECT_EQ(again.get(bad, stamp_of_file(bad), false).state, Header::State::bad);
    EXPECT_EQ(again.reads(), 0U);
    EXPECT_TRUE(again.finish_scan().written.empty());
    EXPECT_EQ(again.finish_scan().removed.size(), 2U);
}

TEST_F(HeadersTest, ReadsAnewWhatAnotherVersionKept) {
    const auto stamp = stamp_of_file(path_);
    Headers headers;
    headers.restore({{path_, stamp.device, stamp.inode, stamp.size, stamp.modified_ns, "gguf0 x"}});
    EXPECT_EQ(headers.get(path_, stamp, false).state, Header::State::good);
    EXPECT_EQ(headers.reads(), 1U);
}

TEST_F(HeadersTest, WaitsForAFileThatIsOpenForWriting) {
    UniqueFd writer(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(writer);
    EXPECT_EQ(headers_.get(path_, stamp_of_file(path_), false).state, Header::State::writing);
    writer.reset();
    EXPECT_EQ(headers_.get(path_, stamp_of_file(path_), false).state, Header::State::good);
}

TEST_F(HeadersTest, TriesAgainWhatCouldNotBeOpened) {
    const auto header = read_header(folder_ / "none.gguf", std::chrono::system_clock::now());
    EXPECT_EQ(header.state, Header::State::failed);
    EXPECT_NE(header.reason.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace routerd
