#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <spdlog/sinks/base_sink.h>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {

/// A file that lines of log are appended to, each whole and at once, so that several processes may
/// share it. What cannot be written there goes to stderr. Any thread.
class LogFileSink final : public spdlog::sinks::base_sink<std::mutex> {  // lint: allowed, spdlog's
  public:
    /// Errors: unavailable, with the path.
    static Result<std::shared_ptr<LogFileSink>> open(const std::string& path);

    /// Goes on in whatever file has the path now. Errors: the same; it stays where it was.
    Result<void> reopen();

    const std::string& path() const noexcept { return path_; }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}

  private:
    LogFileSink(std::string path, UniqueFd file);

    const std::string path_;
    UniqueFd file_;
};

}  // namespace routerd
