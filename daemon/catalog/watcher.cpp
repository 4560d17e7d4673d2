#include "daemon/catalog/watcher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/catalog/file_name.hpp"

namespace routerd {
namespace {

constexpr std::uint32_t watched_events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                                         IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ATTRIB |
                                         IN_ONLYDIR | IN_EXCL_UNLINK;

/// Whether an event can change what a scan finds. A download's temporary file cannot, until it
/// goes.
bool matters(const inotify_event& event) noexcept {
    constexpr std::uint32_t comes = IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB;
    if (event.len == 0 || (event.mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0) {
        return (event.mask & IN_IGNORED) == 0;
    }
    const char* name = reinterpret_cast<const char*>(&event) + sizeof(event);
    return (event.mask & comes) == 0 || !is_unfinished_name(name);
}

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::open(const asio::any_io_executor& executor) {
    UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd) {
        return errno_error("watch the model directories", errno)
            .with_hint("raise fs.inotify.max_user_instances");
    }
    UniqueFd own(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!own) {
        return errno_error("watch the model directories", errno);
    }
    return std::unique_ptr<Watcher>(new Watcher(executor, std::move(fd), std::move(own)));
}

Watcher::Watcher(const asio::any_io_executor& executor, UniqueFd fd, UniqueFd own)
    : fd_(std::make_shared<const UniqueFd>(std::move(fd))),
      events_(executor, own.release()),
      executor_(executor) {}

std::function<void(const std::string&)> Watcher::adder(std::shared_ptr<Missed> missed) const {
    return [fd = fd_, missed = std::move(missed)](const std::string& folder) {
        if (::inotify_add_watch(fd->get(), folder.c_str(), watched_events) < 0 && errno != ENOENT &&
            errno != ENOTDIR) {
            ++missed->folders;
            missed->reason = std::strerror(errno);
        }
    };
}

asio::awaitable<bool> Watcher::wait(Patience patience) {
    bool changed = false;
    while (!changed) {
        const bool ready = co_await readable(patience.deadline);
        if (!ready) {
            co_return false;
        }
        changed = drain();
    }
    const auto end = std::chrono::steady_clock::now() + patience.longest;
    bool more = true;
    while (more) {
        const auto now = std::chrono::steady_clock::now();
        const auto quiet_end = std::min(now + patience.quiet, end);
        more = co_await readable(quiet_end);
        more = more && quiet_end < end;
        drain();
    }
    co_return true;
}

/// True when there are events, false at `deadline`.
asio::awaitable<bool> Watcher::readable(TimePoint deadline) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(executor_, deadline);
    auto first = co_await (events_.async_wait(asio::posix::descriptor_base::wait_read, no_throw) ||
                           timer.async_wait(no_throw));
    co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
}

/// Reads all events; true when one of them matters.
bool Watcher::drain() {
    alignas(inotify_event) std::array<char, 16U << 10U> buffer{};
    bool changed = false;
    for (;;) {
        const auto got = ::read(fd_->get(), buffer.data(), buffer.size());
        if (got <= 0) {
            return changed;
        }
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            changed = changed || matters(*event);
            at += sizeof(inotify_event) + event->len;
        }
    }
}

}  // namespace routerd
