#include "daemon/process/log_follower.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/inotify.h>

namespace routerd {

Result<std::unique_ptr<LogFollower>> LogFollower::make(const asio::any_io_executor& executor) {
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        return errno_error("watch logs by inotify", errno);
    }
    asio::posix::stream_descriptor inotify(executor, fd);
    return std::unique_ptr<LogFollower>(new LogFollower(std::move(inotify)));
}

Result<void> LogFollower::watch(LogFile& log) {
    const auto& path = log.paths().current;
    const int watch = ::inotify_add_watch(inotify_.native_handle(), path.c_str(), IN_MODIFY);
    if (watch < 0) {
        return errno_error("watch log '" + path + "' by inotify", errno);
    }
    logs_[watch] = &log;
    return {};
}

void LogFollower::unwatch(const LogFile& log) {
    const auto found =
        std::ranges::find_if(logs_, [&log](const auto& entry) { return entry.second == &log; });
    if (found != logs_.end()) {
        ::inotify_rm_watch(inotify_.native_handle(), found->first);
        logs_.erase(found);
    }
}

asio::awaitable<void> LogFollower::run() {
    constexpr auto pause = std::chrono::milliseconds(50);
    while (!stopped_) {
        auto [ec] = co_await inotify_.async_wait(asio::posix::descriptor_base::wait_read, no_throw);
        if (ec) {
            co_return;
        }
        for (auto* log : read_changes()) {
            const bool is_watched = std::ranges::any_of(
                logs_, [log](const auto& entry) { return entry.second == log; });
            if (is_watched) {  // still, after the waits of those before it
                co_await log->catch_up();
            }
        }
        if (!stopped_) {
            pause_.expires_after(pause);
            co_await pause_.async_wait(no_throw);
        }
    }
}

void LogFollower::stop() {
    stopped_ = true;
    pause_.cancel();
    inotify_.cancel();
}

std::vector<LogFile*> LogFollower::read_changes() {
    std::vector<LogFile*> changed;
    const auto add = [&changed](LogFile* log) {
        if (std::ranges::find(changed, log) == changed.end()) {
            changed.push_back(log);
        }
    };
    alignas(inotify_event) std::array<char, 16384> buffer{};
    for (;;) {
        const auto n = ::read(inotify_.native_handle(), buffer.data(), buffer.size());
        if (n <= 0) {
            return changed;
        }
        for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            at += sizeof event + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                std::ranges::for_each(logs_, [&add](const auto& entry) { add(entry.second); });
            } else if (const auto log = logs_.find(event.wd); log != logs_.end()) {
                add(log->second);
            }
        }
    }
}

}  // namespace routerd
