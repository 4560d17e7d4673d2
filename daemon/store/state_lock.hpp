#pragma once

#include <string>
#include <utility>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {

/// The right to be the one daemon of a state directory: an flock on `state.lock` in it, which names
/// our pid. Held by App for the whole run; the kernel gives it back when the process ends, however
/// it ends.
class StateLock {
  public:
    /// Creates `state_dir` (0700) when it is not there. Does not wait.
    /// Errors: conflict (names the other daemon's pid), unavailable.
    static Result<StateLock> acquire(const std::string& state_dir);

  private:
    explicit StateLock(UniqueFd file) noexcept : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace routerd
