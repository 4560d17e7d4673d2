#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace routerd::ctl {

/// Reads lines from a descriptor and can be interrupted. Owns neither descriptor.
class LineReader {
  public:
    LineReader(int fd, int stop_fd) noexcept : fd_(fd), stop_fd_(stop_fd) {}

    /// The next line without its end; nullopt at the end of the input. Errors: cancelled (stop_fd
    /// became readable; what was typed is dropped), unavailable.
    Result<std::optional<std::string>> next();

    /// All that is left.
    Result<std::string> rest();

  private:
    /// More bytes in pending_; false at the end.
    Result<bool> fill();

    int fd_;
    int stop_fd_;
    std::string pending_;
};

}  // namespace routerd::ctl
