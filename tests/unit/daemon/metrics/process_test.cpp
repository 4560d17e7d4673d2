#include "daemon/metrics/process.hpp"

#include <chrono>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "daemon/metrics/text.hpp"
#include "tests/support/prometheus.hpp"

namespace routerd::metrics {
namespace {

test::Prometheus read() {
    Text text;
    write_process(text);
    test::Prometheus read(text.take());
    EXPECT_THAT(read.faults(), testing::IsEmpty());
    return read;
}

TEST(ProcessMetricsTest, TellsWhatTheKernelKnows) {
    const auto now = read();
    EXPECT_GT(now.value("process_resident_memory_bytes"), 1e6);
    EXPECT_GT(now.value("process_virtual_memory_bytes"),
              *now.value("process_resident_memory_bytes"));
    EXPECT_GE(now.value("process_threads"), 1);
    EXPECT_GE(now.value("process_cpu_seconds_total"), 0);
    EXPECT_GE(now.value("process_max_fds"), *now.value("process_open_fds"));
}

TEST(ProcessMetricsTest, StartedALittleWhileAgo) {
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    const auto started = read().value("process_start_time_seconds");
    EXPECT_LE(started, now.count() + 2);
    EXPECT_GT(started, now.count() - 600);
}

TEST(ProcessMetricsTest, CountsItsDescriptors) {
    const auto before = read().value("process_open_fds");
    const UniqueFd more(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(read().value("process_open_fds"), *before + 1);
}

}  // namespace
}  // namespace routerd::metrics
