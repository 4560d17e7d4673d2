#include "daemon/telemetry/log_sink.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

Result<UniqueFd> open_to_append(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640));
    if (!file) {
        return errno_error("open the log '" + escaped(path) + "'", errno)
            .with_hint("set [log] file to one in a folder that routerd may write to");
    }
    return file;
}

}  // namespace

Result<std::shared_ptr<LogFileSink>> LogFileSink::open(const std::string& path) {
    auto file = open_to_append(path);
    if (!file) {
        return file.error();
    }
    return std::shared_ptr<LogFileSink>(new LogFileSink(path, std::move(*file)));
}

LogFileSink::LogFileSink(std::string path, UniqueFd file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<void> LogFileSink::reopen() {
    auto file = open_to_append(path_);
    if (!file) {
        return file.error();
    }
    const std::lock_guard turn(mutex_);  // lint: allowed, the base's own
    file_ = std::move(*file);
    return {};
}

void LogFileSink::sink_it_(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const auto written = ::write(file_.get(), line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) {
        [[maybe_unused]] const auto said = ::write(STDERR_FILENO, line.data(), line.size());
    }
}

}  // namespace routerd
