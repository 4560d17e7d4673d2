#include "daemon/devices/host.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/units.hpp"
#include "daemon/devices/process_memory.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

class HostTest : public testing::Test {
  protected:
    HostTest() {
        folder_.write(
            "proc/meminfo",
            "MemTotal:        8388608 kB\nMemFree:   1 kB\nMemAvailable:    4194304 kB\n");
    }
    void write_group(const std::string& path, const std::string& content) {
        folder_.write("sys/fs/cgroup" + path, content);
    }

    test::TempDir folder_;
    Roots roots_{folder_ / "proc", folder_ / "sys"};
};

TEST_F(HostTest, IsTheMachineWhereNothingLimitsIt) {
    const auto reading = read_host(roots_);
    EXPECT_FALSE(reading.error);
    EXPECT_EQ(reading.device.id, "host");
    EXPECT_EQ(reading.total, 8192 * mib);
    EXPECT_EQ(reading.free, 4096 * mib);
    EXPECT_EQ(reading.limited_by, "");
}

TEST_F(HostTest, TakesTheTightestLimitUpTheTree) {
    folder_.write("proc/self/cgroup", "0::/a.slice/b.service\n");
    write_group("/a.slice/memory.max", std::to_string(2048 * mib));
    write_group("/a.slice/memory.current", std::to_string(1024 * mib));
    write_group("/a.slice/memory.stat", "anon 1\nactive_file " + std::to_string(256 * mib) +
                                            "\ninactive_file " + std::to_string(256 * mib) + "\n");
    write_group("/a.slice/b.service/memory.max", "max\n");
    write_group("/a.slice/b.service/memory.current", "1\n");
    const auto reading = read_host(roots_);
    EXPECT_EQ(reading.total, 2048 * mib);
    EXPECT_EQ(reading.free, 1536 * mib);  // page cache can be dropped
    EXPECT_EQ(reading.limited_by, "/a.slice");
}

TEST_F(HostTest, KnowsTheFirstVersionOfCgroups) {
    folder_.write("proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/docker/abc\n0::/\n");
    write_group("/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write_group("/memory/memory.usage_in_bytes", "1\n");
    write_group("/memory/docker/abc/memory.limit_in_bytes", std::to_string(1024 * mib));
    write_group("/memory/docker/abc/memory.usage_in_bytes", std::to_string(2048 * mib));
    const auto reading = read_host(roots_);
    EXPECT_EQ(reading.total, 1024 * mib);
    EXPECT_EQ(reading.free, 0U);
    EXPECT_EQ(reading.limited_by, "/docker/abc");
}

TEST_F(HostTest, SeesTheRootOfANamespaceWhereTheNamedGroupIsElsewhere) {
    folder_.write("proc/self/cgroup", "0::/../../outside\n");
    write_group("/memory.max", std::to_string(512 * mib));
    write_group("/memory.current", "0\n");
    EXPECT_EQ(read_host(roots_).total, 512 * mib);
}

TEST_F(HostTest, SaysWhyItCannotBeRead) {
    folder_.write("proc/meminfo", "MemTotal: lots\n");
    const auto reading = read_host(roots_);
    ASSERT_TRUE(reading.error);
    EXPECT_NE(reading.error->message().find("MemAvailable"), std::string::npos);
    EXPECT_TRUE(read_host({folder_ / "none", folder_ / "none"}).error);
}

TEST_F(HostTest, ReadsAProcess) {
    folder_.write("proc/7/status",
                  "Name:\tx\nVmHWM:\t 900 kB\nVmRSS:\t 800 kB\nRssAnon:\t 300 kB\n"
                  "RssFile:\t 450 kB\nRssShmem:\t 50 kB\nVmSwap:\t 10 kB\n");
    folder_.write("proc/7/smaps_rollup",
                  "55d0-7ffd ---p 0 0:0 0 [rollup]\nRss: 800 kB\nPss: 600 kB\n");
    const auto cheap = read_process_memory(roots_, 7);
    ASSERT_TRUE(cheap);
    EXPECT_EQ(cheap->resident, 800U * 1024U);
    EXPECT_EQ(cheap->peak_resident, 900U * 1024U);
    EXPECT_EQ(cheap->anonymous + cheap->file + cheap->shared, cheap->resident);
    EXPECT_EQ(cheap->swapped, 10U * 1024U);
    EXPECT_FALSE(cheap->proportional);
    const auto full = read_process_memory(roots_, 7, Detail::proportional);
    ASSERT_TRUE(full);
    EXPECT_EQ(full->proportional, 600U * 1024U);
}

TEST_F(HostTest, TellsAProcessThatIsGoneFromOneThatRuns) {
    EXPECT_EQ(read_process_memory(roots_, 8).error().code(), Errc::not_found);
    folder_.write("proc/9/status", "Name:\tkthreadd\nState:\tZ (zombie)\n");
    EXPECT_EQ(read_process_memory(roots_, 9).error().code(), Errc::not_found);
    const auto self = read_process_memory({}, ::getpid());
    ASSERT_TRUE(self) << self.error().message();
    EXPECT_GT(self->resident, mib);
}

}  // namespace
}  // namespace routerd
