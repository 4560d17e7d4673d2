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

    /// What another process of ours gave up for us (share()): the lock is never free in between.
    /// Errors: conflict, when it is not that of this directory.
    static Result<StateLock> take_over(UniqueFd shared, const std::string& state_dir);

    /// The lock itself, for another process: it is held until both have let go of it. Errors:
    /// unavailable.
    Result<UniqueFd> share() const;

    /// Lets go of it.
    void release() noexcept { file_.reset(); }

  private:
    explicit StateLock(UniqueFd file) noexcept : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace routerd
