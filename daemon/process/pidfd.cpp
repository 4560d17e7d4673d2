#include "daemon/process/pidfd.hpp"

#include <poll.h>

extern "C" {  // glibc 2.36 declares these without C linkage
#include <sys/pidfd.h>
}

namespace routerd {

UniqueFd open_pidfd(pid_t pid) noexcept {
    return UniqueFd(::pidfd_open(pid, 0));
}

bool send_signal(const UniqueFd& pidfd, int signal) noexcept {
    return pidfd && ::pidfd_send_signal(pidfd.get(), signal, nullptr, 0) == 0;
}

bool has_ended(const UniqueFd& pidfd) noexcept {
    pollfd end{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, 0) > 0;
}

}  // namespace routerd
