#include "daemon/metrics/process.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "daemon/metrics/text.hpp"

namespace routerd::metrics {
namespace {

struct Stat {
    std::uint64_t cpu_ticks = 0;  ///< user and system
    std::uint64_t threads = 0;
    std::uint64_t start_ticks = 0;  ///< since boot
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;
};

/// proc(5), /proc/PID/stat: the second field is a name that may hold anything, even ") ".
std::optional<Stat> read_stat() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    if (end == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream fields(line.substr(end + 1));
    const auto skip = [&fields](int count) {
        std::string field;
        for (int i = 0; i < count; ++i) {
            fields >> field;
        }
    };
    Stat stat;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    skip(11);  // to field 14
    fields >> user >> system;
    skip(4);  // to field 20
    fields >> stat.threads;
    skip(1);  // to field 22
    fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
    stat.cpu_ticks = user + system;
    return fields ? std::optional(stat) : std::nullopt;
}

/// Seconds since 1970.
std::optional<double> boot_time() {
    std::ifstream file("/proc/stat");
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("btime ")) {
            return std::stod(line.substr(6));
        }
    }
    return std::nullopt;
}

std::uint64_t count_fds() {
    std::uint64_t count = 0;
    std::error_code error;
    std::filesystem::directory_iterator entry("/proc/self/fd", error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        ++count;
    }
    return count > 0 ? count - 1 : 0;  // the one that reads the directory
}

}  // namespace

void write_process(Text& text) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (const auto stat = read_stat()) {
        text.single(cpu, static_cast<double>(stat->cpu_ticks) / ticks);
        text.single(own_resident, stat->resident_pages * page);
        text.single(own_virtual, stat->virtual_bytes);
        text.single(threads, stat->threads);
        if (const auto boot = boot_time()) {
            text.single(start_time, *boot + static_cast<double>(stat->start_ticks) / ticks);
        }
    }
    text.single(open_fds, count_fds());
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        text.single(max_fds, std::uint64_t{limit.rlim_cur});
    }
}

}  // namespace routerd::metrics
