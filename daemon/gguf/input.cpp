#include "daemon/gguf/input.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <unistd.h>

#include "common/base/units.hpp"

namespace routerd::gguf {
namespace {

constexpr std::size_t window_bytes = 64U << 10U;

}  // namespace

Input::Input(int fd, std::uint64_t size, const Limits& limits)
    : fd_(fd),
      size_(size),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.time),
      capacity_(static_cast<std::size_t>(std::min<std::uint64_t>(size, window_bytes))),
      buffer_(std::make_unique_for_overwrite<char[]>(capacity_)) {}

void Input::fail(Errc code, std::string message) {
    if (ok()) {
        failed_ = true;
        error_ = Error(code, std::move(message));
        at_ = filled_;
    }
}

std::string Input::text(std::uint64_t length) {
    std::string result;
    if (length > remaining()) {
        fail(Errc::invalid_request, "text of " + std::to_string(length) + " bytes at byte " +
                                        std::to_string(offset()) + " goes past the end");
        return result;
    }
    charge(length);
    if (!ok()) {
        return result;
    }
    result.resize(static_cast<std::size_t>(length));
    std::size_t have = 0;
    while (have < result.size() && require(1)) {
        const auto part = std::min(result.size() - have, filled_ - at_);
        std::memcpy(result.data() + have, buffer_.get() + at_, part);
        at_ += part;
        have += part;
    }
    return result;
}

void Input::skip(std::uint64_t length) {
    if (length > remaining()) {
        fail(Errc::invalid_request, std::to_string(length) + " bytes at byte " +
                                        std::to_string(offset()) + " go past the end");
        return;
    }
    if (length <= filled_ - at_) {
        at_ += static_cast<std::size_t>(length);
        return;
    }
    base_ = offset() + length;
    filled_ = 0;
    at_ = 0;
}

void Input::charge(std::uint64_t bytes) {
    if (bytes > limits_.memory - std::min(memory_, limits_.memory)) {
        fail(Errc::invalid_request,
             "its names and texts need more than " + format_bytes(limits_.memory));
        return;
    }
    memory_ += bytes;
}

/// Makes the next `length` bytes (at most 8) lie in the window.
bool Input::refill(std::size_t length) {
    if (!ok()) {
        return false;
    }
    if (length > remaining()) {
        fail(Errc::invalid_request,
             "it ends at byte " + std::to_string(size_) + ", inside its header");
        return false;
    }
    const auto kept = filled_ - at_;
    std::memmove(buffer_.get(), buffer_.get() + at_, kept);
    base_ += at_;
    at_ = 0;
    filled_ = kept;
    while (filled_ < length) {
        if (!read_window()) {
            return false;
        }
    }
    return true;
}

bool Input::read_window() {
    if (std::chrono::steady_clock::now() >= deadline_) {
        fail(Errc::deadline_exceeded,
             "reading its header took more than " + format_duration(limits_.time));
        return false;
    }
    const auto wanted = capacity_ - filled_;
    if (read_ + wanted > limits_.header) {
        fail(Errc::invalid_request, "its header is longer than " + format_bytes(limits_.header));
        return false;
    }
    const auto got =
        ::pread(fd_, buffer_.get() + filled_, wanted, static_cast<off_t>(base_ + filled_));
    if (got < 0 && errno == EINTR) {
        return true;
    }
    if (got < 0) {
        const auto failure = errno_error("read", errno);
        fail(failure.code(), failure.message());
        return false;
    }
    if (got == 0) {
        fail(Errc::unavailable, "it became shorter while it was read");
        return false;
    }
    filled_ += static_cast<std::size_t>(got);
    read_ += static_cast<std::uint64_t>(got);
    return true;
}

}  // namespace routerd::gguf
