#include "daemon/catalog/writer_probe.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>

namespace routerd {
namespace {

constexpr std::chrono::seconds quiet_time{2};

}  // namespace

void ignore_lease_signal() noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;  // NOLINT: the macro casts as POSIX defines it
    ::sigaction(SIGIO, &action, nullptr);
}

bool is_being_written(int fd, const FileStamp& stamp, WallTime now) noexcept {
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        ::fcntl(fd, F_SETLEASE, F_UNLCK);
        return false;
    }
    if (errno == EAGAIN) {
        return true;
    }
    const auto age = now.time_since_epoch() - std::chrono::nanoseconds(stamp.modified_ns);
    return age >= std::chrono::seconds(0) && age < quiet_time;  // a time ahead tells nothing
}

}  // namespace routerd
