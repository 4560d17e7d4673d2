#pragma once

#include <csignal>

#include <sys/types.h>

#include "common/base/unique_fd.hpp"

namespace routerd {

/// Empty with errno set when there is no such process.
UniqueFd open_pidfd(pid_t pid) noexcept;

/// Reaches exactly the process that `pidfd` was opened for, or nobody; 0 only asks whether it is
/// there.
bool send_signal(const UniqueFd& pidfd, int signal) noexcept;

/// The process has ended (it may still be a zombie).
bool has_ended(const UniqueFd& pidfd) noexcept;

}  // namespace routerd
