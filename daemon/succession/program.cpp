#include "daemon/succession/program.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/net/wake_policy.hpp"

namespace routerd {
namespace {

constexpr std::string_view variable = "ROUTERD_SUCCEEDS";
constexpr int link_number = 3;
constexpr std::string_view failed = R"({"is":"failed","errno":"000"})";
constexpr std::size_t digits_at = failed.size() - 5;

/// Ours, but for what is meant for this very process.
std::vector<std::string> environment_of_successor() {
    std::vector<std::string> kept;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const bool is_ours =
            text.starts_with("WATCHDOG_PID=") || text.starts_with(std::string(variable) + "=");
        if (!is_ours) {
            kept.emplace_back(text);
        }
    }
    kept.push_back(std::string(variable) + "=" + std::to_string(link_number));
    return kept;
}

std::vector<char*> raw_strings(std::vector<std::string>& strings) {
    std::vector<char*> raw;
    raw.reserve(strings.size() + 1);
    for (auto& text : strings) {
        raw.push_back(text.data());
    }
    raw.push_back(nullptr);
    return raw;
}

/// After a fork of a process with threads: what may be called in a signal's handler and no more.
[[noreturn]] void become(const char* file, char* const* argv, char* const* environment, int link) {
    ::setsid();
    if (has_polite_threads()) {
        const sched_param none{};
        ::sched_setscheduler(0, SCHED_OTHER, &none);
    }
    if (link == link_number) {
        ::fcntl(link, F_SETFD, 0);
    } else {
        ::dup2(link, link_number);
    }
    ::close_range(link_number + 1, ~0U, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execve(file, argv, environment);
    int error = errno;
    std::array<char, failed.size()> text{};
    std::memcpy(text.data(), failed.data(), failed.size());
    for (std::size_t digit = 3; digit-- > 0; error /= 10) {
        text[digits_at + digit] = static_cast<char>('0' + error % 10);
    }
    [[maybe_unused]] const auto sent = ::send(link_number, text.data(), text.size(), MSG_NOSIGNAL);
    ::_exit(1);
}

}  // namespace

Result<void> start_successor(const std::string& file, const Program& program, int link) {
    auto arguments = program.argv;
    auto variables = environment_of_successor();
    const auto argv = raw_strings(arguments);
    const auto environment = raw_strings(variables);
    const pid_t between = ::fork();
    if (between < 0) {
        return errno_error("start '" + file + "'", errno);
    }
    if (between == 0) {  // its child is nobody's when it ends, and so the reaper's
        const pid_t successor = ::fork();
        if (successor == 0) {
            become(file.c_str(), argv.data(), environment.data(), link);
        }
        ::_exit(successor < 0 ? 1 : 0);
    }
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error(Errc::unavailable, "start '" + file + "': no process could be made")
            .with_hint("the limit of processes may be reached: ulimit -u");
    }
    return {};
}

UniqueFd take_link() {
    const std::string name(variable);
    const char* const found = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    const bool is_told = found != nullptr && found == std::to_string(link_number);
    ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    int type = 0;
    socklen_t size = sizeof(type);
    const bool is_link = is_told &&
                         ::getsockopt(link_number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                         type == SOCK_SEQPACKET;
    if (!is_link) {
        return {};
    }
    ::fcntl(link_number, F_SETFD, FD_CLOEXEC);
    return UniqueFd(link_number);
}

}  // namespace routerd
