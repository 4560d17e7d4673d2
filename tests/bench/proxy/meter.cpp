#include "tests/bench/proxy/meter.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <utility>

#include <unistd.h>

#include "tests/bench/proxy/wire.hpp"

namespace bench {
namespace {

/// The kernel's clock of a process: all its threads, also those that ended, to the nanosecond.
std::uint64_t cpu_ns(pid_t pid) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(used.tv_nsec);
}

std::uint64_t cpu_ns(const std::vector<pid_t>& pids) {
    std::uint64_t sum = 0;
    for (const auto pid : pids) {
        sum += cpu_ns(pid);
    }
    return sum;
}

/// Seconds that the machine's processors have worked, from the first line of /proc/stat.
double machine_seconds() {
    std::ifstream file("/proc/stat");
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
    file >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
    return (user + nice + system + irq + softirq) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

void Report::name(std::string_view name) {
    fields_.append(fields_.empty() ? "" : ", ").append("\"").append(name).append("\": ");
}

void Report::text(std::string_view field, std::string_view value) {
    name(field);
    fields_.append("\"").append(value).append("\"");
}

void Report::number(std::string_view field, double value) {
    name(field);
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.10g", value);
    fields_ += digits;
}

void Report::print() const {
    std::printf("{%s}\n", fields_.c_str());
}

double Times::percentile_us(double percent) const {
    const auto last = static_cast<double>(all_.size() - 1);
    return static_cast<double>(all_[static_cast<std::size_t>(last * percent / 100)]) / 1000;
}

void Times::report(Report& to, const std::string& name) {
    if (all_.empty()) {
        return;
    }
    std::ranges::sort(all_);
    to.number(name + "_p50_us", percentile_us(50));
    to.number(name + "_p99_us", percentile_us(99));
    to.number(name + "_max_us", percentile_us(100));
}

Meter::Reading Meter::read() const {
    Reading now;
    now.wall_ns = now_ns();
    now.target_ns = cpu_ns(target_);
    now.own_ns = cpu_ns(helpers_) + cpu_ns(::getpid());
    now.machine_s = machine_seconds();
    return now;
}

void Meter::start() {
    begin_ = read();
}

void Meter::stop() {
    const auto end = read();
    seconds_ = static_cast<double>(end.wall_ns - begin_.wall_ns) / 1e9;
    target_us_ = static_cast<double>(end.target_ns - begin_.target_ns) / 1e3;
    const auto ours = target_us_ / 1e6 + static_cast<double>(end.own_ns - begin_.own_ns) / 1e9;
    other_cores_ = std::max(0.0, end.machine_s - begin_.machine_s - ours) / seconds_;
}

void Meter::report(Report& to, double units, const std::string& unit) const {
    to.number("seconds", seconds_);
    if (!target_.empty()) {
        to.number("cpu_us_per_" + unit, units > 0 ? target_us_ / units : 0);
        to.number("rss_kib", static_cast<double>(target_rss_kib()));
    }
    to.number("other_cores", other_cores_);
}

std::uint64_t Meter::target_rss_kib() const {
    std::uint64_t pages = 0;
    for (const auto pid : target_) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
        std::uint64_t all = 0, resident = 0;
        file >> all >> resident;
        pages += resident;
    }
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace bench
