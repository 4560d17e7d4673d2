#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "daemon/gguf/reader.hpp"

namespace routerd::gguf {

/// Reads a file front to back through a small window, by pread: a file that shrinks under us is an
/// error, where a mapping would be SIGBUS. The first failure sticks: from then on every read gives
/// zero and nothing is read any more, so a parser looks at ok() where it would act on a value and
/// at the end of each turn of a loop. Holds the descriptor without owning it.
class Input {
  public:
    Input(int fd, std::uint64_t size, const Limits& limits);

    bool ok() const noexcept { return !failed_; }
    const Error& error() const noexcept { return error_; }

    /// Records the first failure; later ones follow from it and are not kept.
    void fail(Errc code, std::string message);

    std::uint64_t offset() const noexcept { return base_ + at_; }
    std::uint64_t size() const noexcept { return size_; }
    std::uint64_t remaining() const noexcept { return ok() ? size_ - offset() : 0; }

    /// A little-endian number.
    template <class T>
    T number() {
        static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
        T value{};
        if (require(sizeof(T))) {
            std::memcpy(&value, buffer_.get() + at_, sizeof(T));
            at_ += sizeof(T);
        }
        return value;
    }

    /// The next `length` bytes, counted against the memory limit.
    std::string text(std::uint64_t length);

    /// Goes past `length` bytes; those beyond the window are never read.
    void skip(std::uint64_t length);

    /// Counts `bytes` that the caller is about to keep; fails when the file wants too much.
    void charge(std::uint64_t bytes);

  private:
    bool require(std::size_t length) { return at_ + length <= filled_ || refill(length); }
    bool refill(std::size_t length);
    bool read_window();

    int fd_;
    std::uint64_t size_;
    const Limits& limits_;
    TimePoint deadline_;
    std::size_t capacity_;
    std::unique_ptr<char[]> buffer_;
    std::uint64_t base_ = 0;    // file offset of the window's first byte
    std::size_t filled_ = 0;    // bytes in the window
    std::size_t at_ = 0;        // the next byte, from the window's first
    std::uint64_t read_ = 0;    // bytes read from the file
    std::uint64_t memory_ = 0;  // bytes charged
    bool failed_ = false;
    Error error_;
};

}  // namespace routerd::gguf
