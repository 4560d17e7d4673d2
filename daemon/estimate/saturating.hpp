#pragma once

#include <cstdint>
#include <limits>

namespace routerd {

/// Sums and products of figures from a file that anybody may have written: what does not fit into
/// 64 bits is the largest number, so that it fits into no memory either.
constexpr std::uint64_t sat_add(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

constexpr std::uint64_t sat_mul(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                  : product;
}

template <class... More>
constexpr std::uint64_t sat_mul(std::uint64_t a, std::uint64_t b, More... more) noexcept {
    return sat_mul(sat_mul(a, b), more...);
}

template <class... More>
constexpr std::uint64_t sat_add(std::uint64_t a, std::uint64_t b, More... more) noexcept {
    return sat_add(sat_add(a, b), more...);
}

constexpr std::uint64_t sat_sub(std::uint64_t a, std::uint64_t b) noexcept {
    return a > b ? a - b : 0;
}

/// `value` up to the next multiple of `step`, which is not 0.
constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
    return sat_mul(value / step + (value % step == 0 ? 0 : 1), step);
}

}  // namespace routerd
