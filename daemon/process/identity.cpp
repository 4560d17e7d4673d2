#include "daemon/process/identity.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/process/pidfd.hpp"

namespace routerd {
namespace {

/// Files of /proc have no size: they are read until they end, 1 MiB at most.
Result<std::string> read_proc(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return errno_error("open '" + path + "'", errno);
    }
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < (1U << 20U)) {
        const auto n = ::read(fd.get(), part.data(), part.size());
        if (n < 0) {
            return errno_error("read '" + path + "'", errno);
        }
        if (n == 0) {
            break;
        }
        text.append(part.data(), static_cast<std::size_t>(n));
    }
    return text;
}

bool has_entry(std::string_view environment, std::string_view entry) {
    for (const auto variable : split(environment, '\0')) {
        if (variable == entry) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string boot_id() {
    const auto text = read_proc("/proc/sys/kernel/random/boot_id");
    return text ? std::string(trim(*text)) : std::string();
}

Result<ProcessIdentity> identity_of(pid_t pid) {
    const auto gone = [pid] {
        return Error(Errc::not_found, "no process has the number " + std::to_string(pid));
    };
    const auto stat = read_proc("/proc/" + std::to_string(pid) + "/stat");
    if (!stat) {
        return gone();
    }
    // proc(5): the name in parentheses may hold anything, so fields are counted from the last ')'.
    const auto name_end = stat->rfind(')');
    if (name_end == std::string::npos) {
        return Error(Errc::unavailable, "/proc/" + std::to_string(pid) + "/stat has no name");
    }
    const auto fields = split(trim(std::string_view(*stat).substr(name_end + 1)), ' ');
    constexpr std::size_t state_field = 0;        // field 3 of the file
    constexpr std::size_t start_time_field = 19;  // field 22
    if (fields.size() <= start_time_field) {
        return Error(Errc::unavailable, "/proc/" + std::to_string(pid) + "/stat is too short");
    }
    if (fields[state_field] == "Z" || fields[state_field] == "X") {
        return gone();
    }
    const auto ticks = number_in<std::uint64_t>(fields[start_time_field]);
    if (!ticks) {
        return Error(Errc::unavailable, "/proc/" + std::to_string(pid) + "/stat has no start time");
    }
    return ProcessIdentity{.pid = pid, .start_ticks = *ticks, .boot_id = boot_id()};
}

bool is_alive(const ProcessIdentity& identity) {
    const auto now = identity_of(identity.pid);
    return now && *now == identity;
}

std::uint64_t resident_bytes(pid_t pid) {
    const auto text = read_proc("/proc/" + std::to_string(pid) + "/statm");
    if (!text) {
        return 0;
    }
    const auto fields = split(trim(*text), ' ');
    const auto pages = fields.size() > 1 ? number_in<std::uint64_t>(fields[1]) : std::nullopt;
    return pages.value_or(0) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<StartedProcess> processes_started_with(std::string_view entry) {
    std::vector<StartedProcess> found;
    std::error_code ec;
    for (const auto& folder : std::filesystem::directory_iterator("/proc", ec)) {
        const auto pid = number_in<pid_t>(folder.path().filename().native());
        if (!pid || *pid == ::getpid()) {
            continue;
        }
        auto environment = read_proc(folder.path().native() + "/environ");
        if (!environment || !has_entry(*environment, entry)) {
            continue;  // gone meanwhile, somebody else's, or not meant
        }
        if (auto identity = identity_of(*pid)) {
            found.push_back({std::move(*identity), std::move(*environment)});
        }
    }
    return found;
}

std::vector<ProcessIdentity> processes_with_environment(std::string_view entry) {
    std::vector<ProcessIdentity> found;
    for (auto& started : processes_started_with(entry)) {
        found.push_back(std::move(started.process));
    }
    return found;
}

std::string_view environment_value(std::string_view environment, std::string_view name) {
    for (const auto variable : split(environment, '\0')) {
        if (variable.starts_with(name) && variable.substr(name.size()).starts_with('=')) {
            return variable.substr(name.size() + 1);
        }
    }
    return {};
}

std::size_t kill_processes(const std::vector<ProcessIdentity>& processes) {
    std::vector<UniqueFd> killed;
    for (const auto& process : processes) {
        auto pidfd = open_pidfd(process.pid);
        if (pidfd && is_alive(process) && send_signal(pidfd, SIGKILL)) {
            killed.push_back(std::move(pidfd));
        }
    }
    constexpr int patience_ms = 2000;
    for (const auto& pidfd : killed) {
        pollfd end{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
        ::poll(&end, 1, patience_ms);
    }
    return killed.size();
}

}  // namespace routerd
