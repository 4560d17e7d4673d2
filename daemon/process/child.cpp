#include "daemon/process/child.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/net/net.hpp"
#include "daemon/net/wake_policy.hpp"
#include "daemon/process/pidfd.hpp"

namespace routerd {
namespace {

/// posix_spawn's two option objects, destroyed on every path.
struct SpawnOptions {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};

    explicit SpawnOptions(int log_fd) {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files, log_fd, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, log_fd, STDERR_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&files, 3);  // Asio opens without CLOEXEC

        ::posix_spawnattr_init(&attributes);
        sigset_t signals;
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes, &signals);
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes, &signals);
        const int usual = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        const int policy = has_polite_threads() ? POSIX_SPAWN_SETSCHEDULER : 0;
        const sched_param none{};
        ::posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
        ::posix_spawnattr_setschedparam(&attributes, &none);
        ::posix_spawnattr_setflags(&attributes, static_cast<short>(usual | policy));
    }
    SpawnOptions(const SpawnOptions&) = delete;
    SpawnOptions& operator=(const SpawnOptions&) = delete;
    ~SpawnOptions() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
};

std::vector<char*> raw_strings(const std::vector<std::string>& strings) {
    std::vector<char*> raw;
    raw.reserve(strings.size() + 1);
    for (const auto& text : strings) {
        raw.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write to it
    }
    raw.push_back(nullptr);
    return raw;
}

Error spawn_error(const std::string& path, int number) {
    const auto error = errno_error("start '" + path + "'", number);
    struct stat info {};
    const bool is_there = ::stat(path.c_str(), &info) == 0;
    std::string meaning;
    if (number == ENOENT && is_there) {
        meaning = " (the file is there; the loader or interpreter that it names is not)";
    } else if (number == EACCES && is_there) {
        meaning = S_ISDIR(info.st_mode) ? " (it is a folder)" : " (the file is not executable)";
    } else if (number == ENOEXEC) {
        meaning = " (not a program for this machine)";
    } else if (number == EAGAIN) {
        meaning = " (the limit of processes is reached)";
    }
    return {Errc::load_failed, error.message() + meaning};
}

/// What posix_spawn cannot set. A process that is gone by now is no error.
void restrain(pid_t pid) {
    const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
    ::prlimit(pid, RLIMIT_CORE, &no_core, nullptr);
    std::ofstream oom("/proc/" + std::to_string(pid) + "/oom_score_adj");
    oom << "300";  // of 1000: a server goes before the daemon and before the user's shell
}

UniqueFd copy_of(const UniqueFd& fd) {
    return fd ? UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)) : UniqueFd();
}

ExitStatus to_exit_status(const siginfo_t& info) {
    ExitStatus status;
    if (info.si_code == CLD_EXITED) {
        status.code = info.si_status;
    } else {
        status.signal = info.si_status;
        status.dumped_core = info.si_code == CLD_DUMPED;
    }
    return status;
}

}  // namespace

Result<Child> Child::spawn(const Program& program) {
    const auto argv = raw_strings(program.argv);
    const auto environment = raw_strings(program.environment);
    const SpawnOptions options(program.log_fd);
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, argv.front(), &options.files, &options.attributes,
                                    argv.data(), environment.data());
    if (error != 0) {
        return spawn_error(program.argv.front(), error);
    }
    restrain(pid);
    auto pidfd = open_pidfd(pid);  // cannot race: nobody else reaps our child
    auto watch = copy_of(pidfd);
    const int pidfd_error = errno;
    auto identity = identity_of(pid);
    if (pidfd && !identity) {  // it has ended already: a zombie, whose number is still its own
        identity = ProcessIdentity{.pid = pid, .start_ticks = 0, .boot_id = {}};
    }
    if (!watch) {
        ::kill(-pid, SIGKILL);
        ::waitid(P_PID, static_cast<id_t>(pid), nullptr, WEXITED);
        return errno_error("watch '" + program.argv.front() + "'", pidfd_error);
    }
    return Child(std::move(*identity), std::move(pidfd), std::move(watch), false);
}

Result<Child> Child::adopt(const ProcessIdentity& identity) {
    Error gone(Errc::not_found,
               "process " + std::to_string(identity.pid) + " is not the one it was");
    if (!is_alive(identity)) {
        return gone;
    }
    auto pidfd = open_pidfd(identity.pid);
    auto watch = copy_of(pidfd);
    // Looked at again: between the first look and the open it may have ended and lost its number.
    if (!watch || !is_alive(identity)) {
        return gone;
    }
    return Child(identity, std::move(pidfd), std::move(watch), true);
}

Child::Child(ProcessIdentity identity, UniqueFd pidfd, UniqueFd watch, bool adopted) noexcept
    : identity_(std::move(identity)),
      pidfd_(std::move(pidfd)),
      watch_(std::move(watch)),
      adopted_(adopted) {}

Child& Child::operator=(Child&& other) noexcept {
    kill_and_reap();
    identity_ = std::move(other.identity_);
    pidfd_ = std::move(other.pidfd_);
    watch_ = std::move(other.watch_);
    adopted_ = other.adopted_;
    return *this;
}

Child::~Child() {
    kill_and_reap();
}

void Child::signal(int signal) const noexcept {
    if (send_signal(pidfd_, 0)) {  // it lives (or is our zombie), so the group is its own
        ::kill(-identity_.pid, signal);
    }
}

boost::asio::awaitable<Result<ExitStatus>> Child::wait() {
    auto executor = co_await asio::this_coro::executor;
    const auto attempt = "wait for process " + std::to_string(pid());  // aborted, it may be gone
    asio::posix::stream_descriptor ended(executor, watch_.release());
    // Looked at again after each wait: Asio may wake it by an event of another descriptor that was
    // closed in the same turn of the loop, and reap() kills.
    while (pidfd_ && !has_ended(pidfd_)) {
        auto [ec] = co_await ended.async_wait(asio::posix::stream_descriptor::wait_read, no_throw);
        if (ec) {
            co_return Error(Errc::cancelled, attempt + ": " + ec.message());
        }
    }
    if (!pidfd_) {
        co_return Error(Errc::cancelled, attempt + ": it was let go");
    }
    co_return reap();
}

ExitStatus Child::reap() noexcept {
    pidfd_.reset();
    if (adopted_) {
        return {};
    }
    // The leader is a zombie until it is reaped, so its number still names its group.
    ::kill(-identity_.pid, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(identity_.pid), &info, WEXITED);
    return to_exit_status(info);
}

void Child::kill_and_reap() noexcept {
    if (pidfd_) {
        signal(SIGKILL);
        reap();
    }
}

}  // namespace routerd
