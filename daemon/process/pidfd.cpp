#include "daemon/process/pidfd.hpp"

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

}  // namespace routerd
