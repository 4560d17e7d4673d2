#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace routerd::metrics {

/// A number that only rises. One thread adds, any thread may read meanwhile: with a single writer a
/// relaxed load and store are enough, and they cost what plain ones do.
class Counter {
  public:
    void add(std::uint64_t count = 1) noexcept {
        value_.store(value() + count, std::memory_order_relaxed);
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// How long things took. Threads: as Counter.
class Histogram {
  public:
    using Time = std::chrono::microseconds;

    /// Upper bounds, both for tokens that come in milliseconds and for answers that take minutes.
    static constexpr std::array<Time, 16> bounds{
        Time(1'000),      Time(5'000),      Time(10'000),      Time(25'000),
        Time(50'000),     Time(100'000),    Time(250'000),     Time(500'000),
        Time(1'000'000),  Time(2'500'000),  Time(5'000'000),   Time(10'000'000),
        Time(30'000'000), Time(60'000'000), Time(120'000'000), Time(300'000'000)};

    /// What was seen so far; of several histograms the sum.
    struct Reading {
        std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< the last: above all bounds
        std::uint64_t sum = 0;                                  ///< microseconds

        std::uint64_t count() const noexcept;
        void add(const Reading& other) noexcept;
    };

    void observe(Time time) noexcept {
        std::size_t at = 0;
        while (at < bounds.size() && time > bounds[at]) {
            ++at;
        }
        counts_[at].add();
        sum_.add(time.count() > 0 ? static_cast<std::uint64_t>(time.count()) : 0);
    }

    Reading read() const noexcept;

  private:
    std::array<Counter, bounds.size() + 1> counts_;
    Counter sum_;
};

inline std::uint64_t Histogram::Reading::count() const noexcept {
    std::uint64_t all = 0;
    for (const auto count : counts) {
        all += count;
    }
    return all;
}

inline void Histogram::Reading::add(const Reading& other) noexcept {
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] += other.counts[i];
    }
    sum += other.sum;
}

inline Histogram::Reading Histogram::read() const noexcept {
    Reading reading;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        reading.counts[i] = counts_[i].value();
    }
    reading.sum = sum_.value();
    return reading;
}

}  // namespace routerd::metrics
