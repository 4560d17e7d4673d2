#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

namespace routerd {

/// Sixteen bytes that are looked at together. What is asked of them is answered by a bit for each,
/// the first byte's the lowest.
class ByteBlock {
  public:
    static constexpr std::size_t size = 16;

#ifdef __x86_64__
    explicit ByteBlock(const char* from) noexcept
        : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))) {}

    /// Which of them are `c`.
    std::uint32_t equal(char c) const noexcept {
        return bits_of(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c)));
    }

    /// Which are at most `c`, as numbers without a sign.
    std::uint32_t at_most(unsigned char c) const noexcept {
        const auto limit = _mm_set1_epi8(static_cast<char>(c));
        return bits_of(_mm_cmpeq_epi8(_mm_max_epu8(bytes_, limit), limit));
    }

  private:
    static std::uint32_t bits_of(__m128i mask) noexcept {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(mask));
    }

    __m128i bytes_;
#else
    explicit ByteBlock(const char* from) noexcept {
        std::memcpy(bytes_, from, size);
    }

    std::uint32_t equal(char c) const noexcept {
        std::uint32_t bits = 0;
        for (unsigned i = 0; i < size; ++i) {
            bits |= std::uint32_t{bytes_[i] == static_cast<unsigned char>(c)} << i;
        }
        return bits;
    }

    std::uint32_t at_most(unsigned char c) const noexcept {
        std::uint32_t bits = 0;
        for (unsigned i = 0; i < size; ++i) {
            bits |= std::uint32_t{bytes_[i] <= c} << i;
        }
        return bits;
    }

  private:
    unsigned char bytes_[size];
#endif
};

}  // namespace routerd
