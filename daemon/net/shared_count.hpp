#pragma once

#include <atomic>
#include <cstddef>

namespace routerd {

/// A number that one thread changes and any may read, at the price of a plain one.
class SharedCount {
  public:
    void add(std::ptrdiff_t change) noexcept {
        const auto before = value_.load(std::memory_order_relaxed);
        value_.store(before + static_cast<std::size_t>(change), std::memory_order_relaxed);
    }
    std::size_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::size_t> value_ = 0;
};

}  // namespace routerd
